"""How to divide the conversations, and what that does before it is done."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QSpinBox,
    QWidget,
)

from curator.app.counted import counted
from curator.app.pages.export.numbers import NumberTable
from curator.app.widgets.buttons import ChipButton, LinkButton, PlainButton, allow
from curator.app.widgets.card import Card
from curator.app.widgets.layouts import STRETCH, hbox
from curator.app.widgets.number_field import NumberField
from curator.app.widgets.setting_fields import ComboBox, let_shrink
from curator.app.widgets.text import Muted, SectionTitle

if TYPE_CHECKING:
    from curator.curate.splits import SplitPlan
    from curator.project.splits import Obstacle, SplitProposal, SplitReport

MOST_LABELS = 12


class SplitCard(Card):
    """The plan of a split; changed tells that it moved, assign_requested that it should be done."""

    changed = Signal()
    assign_requested = Signal()
    fresh_requested = Signal()
    leaks_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Splits"))
        self.shares = ChipButton(self.tr("Shares"), self)
        self.counts = ChipButton(self.tr("Counts"), self)
        self.shares.setChecked(True)
        self.parts = [self._number(name) for name in self._names()]
        self.seed = self._number(self.tr("Seed"))
        self.seed.setRange(0, 2_000_000_000)
        self.stratify = ComboBox(self)
        self.stratify.setAccessibleName(self.tr("Stratify by"))
        let_shrink(self.stratify)
        self.stratify.addItem(self.tr("nothing"), "")
        self.duplicates = QCheckBox(self.tr("near duplicates"), self)
        self.source = QCheckBox(self.tr("source files"), self)
        self.problem = Muted("", self, wrap=True)
        self.problem.setProperty("tone", "danger")
        self.table = NumberTable(
            ("", self.tr("now"), self.tr("after"), self.tr("share"), self.tr("tokens")),
            self.tr("Splits before and after"),
            self,
        )
        self.labels = NumberTable(
            (self.tr("label"), *self._names()), self.tr("Share of each label"), self
        )
        self.verdict = Muted("", self, wrap=True)
        self.obstacle = Muted("", self, wrap=True)
        self.obstacle.setProperty("tone", "danger")
        self.obstacle.hide()
        self.leaks = LinkButton(self.tr("Show them"), self)
        self.assign = PlainButton(self.tr("Assign splits"), self, icon_name="split")
        self.fresh = LinkButton(self.tr("Assign everything anew"), self)
        self.body.setSpacing(12)
        self.body.addLayout(
            hbox(
                SectionTitle(self.tr("Splits"), self), STRETCH, self.shares, self.counts, spacing=8
            )
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        for column, (name, part) in enumerate(zip(self._names(), self.parts, strict=True)):
            grid.addWidget(Muted(name, self), 0, column)
            grid.addWidget(part, 1, column)
        grid.addWidget(Muted(self.tr("seed"), self), 0, 3)
        grid.addWidget(self.seed, 1, 3)
        for column in range(4):
            grid.setColumnStretch(column, 1)
        self.body.addLayout(grid)
        self.body.addLayout(self._options())
        self.body.addWidget(self.problem)
        self.body.addWidget(self.table)
        self.body.addWidget(self.labels)
        self.labels.hide()
        verdict = hbox((self.verdict, 1), self.leaks)
        self.leaks.hide()
        self.body.addLayout(verdict)
        self.body.addWidget(self.obstacle)
        self.fresh.hide()
        self.body.addLayout(hbox(self.assign, self.fresh, STRETCH))
        self.body.addStretch(1)
        self._connect()
        self._by_count: bool | None = None
        self._show_shares()

    def plan(self) -> "SplitPlan":
        """Return the plan; raises WrongUse where it is impossible."""
        from curator.curate.splits import SplitPlan, Together

        train, validation, test = (part.value() for part in self.parts)
        together: list[Together] = ["prompt"]
        if self.duplicates.isChecked():
            together.append("duplicates")
        if self.source.isChecked():
            together.append("source")
        by_count = self.counts.isChecked()
        scale = 1 if by_count else 100
        return SplitPlan(
            train=train / scale,
            validation=validation / scale,
            test=test / scale,
            seed=self.seed.value(),
            stratify=str(self.stratify.currentData()),
            together=tuple(together),
            by_count=by_count,
        )

    def show_plan(self, plan: "SplitPlan | None", label_sets: Sequence[str]) -> None:
        """Show the plan of the last split and what can be stratified by."""
        chosen = plan.stratify if plan else self.stratify.currentData()
        with QSignalBlocker(self):
            self.stratify.clear()
            self.stratify.addItem(self.tr("nothing"), "")
            for name in label_sets:
                self.stratify.addItem(name, name)
            self.stratify.setCurrentIndex(max(0, self.stratify.findData(chosen)))
            if plan is not None:
                self._choose(self.counts if plan.by_count else self.shares)
                scale = 1 if plan.by_count else 100
                values = (plan.train, plan.validation, plan.test)
                for part, value in zip(self.parts, values, strict=True):
                    part.setValue(round(value * scale))
                self.seed.setValue(plan.seed)
                self.duplicates.setChecked("duplicates" in plan.together)
                self.source.setChecked("source" in plan.together)

    def show_problem(self, text: str) -> None:
        """Say what is wrong with the plan; an empty text takes that back."""
        self.obstacle.hide()
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        allow(self.assign, allowed=not text, reason=text)

    def show_proposal(self, proposal: "SplitProposal", *, writable: bool) -> None:
        """Show the numbers before and after."""
        self.show_problem("")
        before, after = proposal.before.shares(), proposal.after.shares()
        total = sum(share.rows for share in after.values()) or 1
        names = dict(zip(("train", "validation", "test"), self._names(), strict=True))
        self.table.show_rows(
            [
                (
                    names.get(name, self.tr("unassigned")),
                    f"{before[name].rows:,}",
                    f"{share.rows:,}",
                    f"{share.rows / total:.1%}",
                    f"{share.tokens:,}",
                )
                for name, share in after.items()
                if name or share.rows or before[name].rows
            ]
        )
        self._show_labels(proposal.after)
        self._show_verdict(proposal)
        self._show_obstacle(proposal.obstacle)
        reason = self.tr("Everything is assigned already.") if writable else ""
        allow(self.assign, allowed=writable and proposal.edit is not None, reason=reason)
        self.fresh.setVisible(writable and proposal.before.unassigned.rows < total)

    def _show_labels(self, after: "SplitReport") -> None:
        shares = (after.train, after.validation, after.test)
        totals = [sum(share.labels.values()) or 1 for share in shares]
        names = sorted(after.train.labels, key=lambda n: -sum(s.labels[n] for s in shares))
        self.labels.show_rows(
            [
                (name, *(f"{s.labels[name] / t:.0%}" for s, t in zip(shares, totals, strict=True)))
                for name in names[:MOST_LABELS]
            ]
        )
        self.labels.setVisible(bool(names))

    def _show_verdict(self, proposal: "SplitProposal") -> None:
        leaks = len(proposal.before.leaks)
        words = [
            self.tr(
                "{0}; copies, equal prompts, and a conversation and its own beginning stay "
                "in one split."
            ).format(counted(proposal.after.groups, "group"))
        ]
        if leaks:
            words.append(
                self.tr("Now {0} in several splits; assigning fixes that.").format(
                    counted(
                        leaks,
                        "prompt or conversation with its beginning stands",
                        "prompts or conversations with their beginnings stand",
                    )
                )
            )
        if proposal.moved:
            words.append(
                self.tr("{0}.").format(
                    counted(proposal.moved, "conversation moves", "conversations move")
                )
            )
        if proposal.edit is None:
            words.append(self.tr("Everything is assigned already."))
        self.verdict.setText(" ".join(words))
        self.leaks.setVisible(bool(leaks))

    def _show_obstacle(self, obstacle: "Obstacle | None") -> None:
        """Say which group forbids the shares asked for, and what it hangs together by."""
        self.obstacle.setVisible(obstacle is not None)
        if obstacle is None:
            return
        tied = {
            "copies": self.tr("equal contents"),
            "prompt": self.tr("equal prompts"),
            "beginning": self.tr("one being the beginning of another"),
            "duplicates": self.tr("near duplicates"),
            "source": self.tr("coming from one file"),
        }
        self.obstacle.setText(
            self.tr(
                "The groups do not allow these shares. The largest has {0} of {1}, tied "
                "by {2}, the first of them {3}."
            ).format(
                f"{len(obstacle.conversations):,}",
                counted(obstacle.of, "conversation"),
                self.tr(" and ").join(tied[kind] for kind in obstacle.tied_by),
                ", ".join(map(str, obstacle.conversations[:3])),
            )
        )

    def _names(self) -> tuple[str, str, str]:
        return self.tr("train"), self.tr("validation"), self.tr("test")

    def _number(self, name: str) -> QSpinBox:
        box = NumberField(self)
        box.setAccessibleName(name)
        box.setGroupSeparatorShown(True)
        return box

    def _options(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.addWidget(Muted(self.tr("Stratify by"), self), 0, 0)
        grid.addWidget(self.stratify, 0, 1)
        grid.addWidget(Muted(self.tr("Also keep together"), self), 1, 0)
        grid.addLayout(hbox(self.duplicates, self.source, STRETCH, spacing=16), 1, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _connect(self) -> None:
        self.shares.clicked.connect(self._show_shares)
        self.counts.clicked.connect(self._show_counts)
        for box in (*self.parts, self.seed):
            box.valueChanged.connect(self.changed)
        self.stratify.currentIndexChanged.connect(self.changed)
        for check in (self.duplicates, self.source):
            check.toggled.connect(self.changed)
        self.assign.clicked.connect(self.assign_requested)
        self.fresh.clicked.connect(self.fresh_requested)
        self.leaks.clicked.connect(self.leaks_requested)

    def _choose(self, chip: ChipButton) -> None:
        self.shares.setChecked(chip is self.shares)
        self.counts.setChecked(chip is self.counts)
        by_count = self._by_count = chip is self.counts
        for part in self.parts:
            part.setRange(0, 100_000_000 if by_count else 100)
            part.setSuffix("" if by_count else " %")
        self.parts[0].setSpecialValueText(self.tr("the rest") if by_count else "")

    def _show_shares(self) -> None:
        self._set_parts(self.shares, (80, 10, 10))

    def _show_counts(self) -> None:
        self._set_parts(self.counts, (0, 100, 100))

    def _set_parts(self, chip: ChipButton, values: tuple[int, int, int]) -> None:
        if (chip is self.counts) == self._by_count:
            # A press on the way of counting that is in force must not take back what was typed.
            self._choose(chip)
            return
        with QSignalBlocker(self):
            self._choose(chip)
            for part, value in zip(self.parts, values, strict=True):
                part.setValue(value)
        self.changed.emit()
