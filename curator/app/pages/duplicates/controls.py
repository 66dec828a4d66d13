"""What to look for: exact or near, how similar, what to compare, and whom to keep."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QWidget

from curator.app.counted import counted
from curator.app.widgets.buttons import ChipButton
from curator.app.widgets.card import Card
from curator.app.widgets.layouts import STRETCH, hbox
from curator.app.widgets.setting_fields import ComboBox, Slider
from curator.app.widgets.text import Meta, Muted, Plain

if TYPE_CHECKING:
    from curator.project.duplicate_search import Search
    from curator.project.duplicates import Duplicates

_MOST_SHARED: Final = 3
_MOST_SIGNS: Final = 60


class SearchControls(Card):
    """The settings of a search; changed tells that any of them moved."""

    changed = Signal()
    keep_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.exact = ChipButton(self.tr("Exact copies"), self)
        self.near = ChipButton(self.tr("Near duplicates"), self)
        self.near.setChecked(True)
        self.slider = Slider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(30, 100)
        self.slider.setValue(80)
        self.slider.setPageStep(5)
        self.slider.setFixedWidth(160)
        self.slider.setAccessibleName(self.tr("Least similarity"))
        self.number = Plain("", self)
        self.number.setMinimumWidth(32)
        self.live = Meta("", self)
        self.compare = ComboBox(self)
        self.compare.setAccessibleName(self.tr("What to compare"))
        for key, words in (
            ("conversation", self.tr("whole conversation")),
            ("prompt", self.tr("prompt")),
            ("answer", self.tr("answer")),
        ):
            self.compare.addItem(words, key)
        self.keep = ComboBox(self)
        self.keep.setAccessibleName(self.tr("Whom to keep"))
        for key, words in (
            ("accepted_first", self.tr("the accepted one")),
            ("most_labelled", self.tr("the most labelled")),
            ("longest", self.tr("the longest")),
            ("oldest", self.tr("the oldest")),
            ("newest", self.tr("the newest")),
        ):
            self.keep.addItem(words, key)
        self.preview = Muted("", self)
        self.system = QCheckBox(self.tr("system prompts"), self)
        self.tools = QCheckBox(self.tr("tool definitions"), self)
        self.shared = QCheckBox(self.tr("text that most share"), self)
        self.shared.setChecked(True)
        self.shared.setToolTip(
            self.tr("Text that stands word for word in more than half of the conversations.")
        )
        self.counted = Muted("", self, wrap=True)
        self._lay_out()
        self.exact.clicked.connect(self._exact_chosen)
        self.near.clicked.connect(self._near_chosen)
        self.slider.valueChanged.connect(self._moved)
        self.compare.currentIndexChanged.connect(self._moved)
        self.keep.currentIndexChanged.connect(self.keep_changed)
        for box in (self.system, self.tools, self.shared):
            box.toggled.connect(self._moved)
        self._moved()

    def search(self) -> "Search":
        """Return the search these settings ask for."""
        from curator.project.duplicate_search import Search

        preset = "exact" if self.exact.isChecked() else "near"
        boxes = {"system": self.system, "tools": self.tools}
        return Search(
            preset,
            self.threshold(),
            str(self.compare.currentData()),
            counted=tuple(name for name, box in boxes.items() if box.isChecked()),
            with_shared=self.shared.isChecked(),
        )

    def threshold(self) -> float:
        """Return the least similarity asked for."""
        return self.slider.value() / 100

    def keep_rule(self) -> str:
        """Return the rule that says who stays."""
        return str(self.keep.currentData())

    def show_search(self, search: "Search") -> None:
        """Show the settings of a search that was made before."""
        self._choose(self.exact if search.preset == "exact" else self.near)
        with QSignalBlocker(self):
            self.system.setChecked("system" in search.counted)
            self.tools.setChecked("tools" in search.counted)
            self.shared.setChecked(search.with_shared)
            if search.preset == "near":
                self.slider.setValue(round(search.threshold * 100))
            self.compare.setCurrentIndex(self.compare.findData(search.compare))
        self._show_number()

    def show_live(self, found: "Duplicates | None") -> None:
        """Say how many pairs a higher threshold would leave, without a search."""
        if found is None:
            self.live.setText("")
            return
        asked, had = self.search(), found.search
        near = asked.preset == "near"
        same_kind = replace(asked, threshold=1) == replace(had, threshold=1)
        if not same_kind or (near and asked.threshold < had.threshold):
            self.live.setText(self.tr("not searched yet"))
            return
        pairs = found.matches.count_at_least(asked.threshold) if near else 0
        self.live.setText(counted(pairs, "pair") if near else "")

    def show_counted(self, found: "Duplicates | None") -> None:
        """Say what a search left out, and which other text most conversations share."""
        self.counted.hide()
        if found is None or found.search.preset == "exact":
            return
        names = {
            "system": self.tr("system prompts"),
            "tools": self.tr("tool definitions"),
            "shared": self.tr("text that most share"),
        }
        left = ", ".join(names[name] for name in found.search.left_out)
        words = [self.tr("Left out of the comparison: {0}.").format(left)] if left else []
        words += [
            self.tr('{0} of {1} share "{2}".').format(
                f"{each.conversations:,}",
                counted(len(found.ids), "conversation"),
                each.beginning(_MOST_SIGNS),
            )
            for each in found.shared[:_MOST_SHARED]
        ]
        self.counted.setText(" ".join(words))
        self.counted.setVisible(bool(words))

    def show_preview(self, would_remove: int) -> None:
        """Say what the keep rule would take out; nothing where there is nothing to take."""
        words = self.tr("Removing all copies would take out {0}.")
        self.preview.setText(words.format(f"{would_remove:,}") if would_remove else "")

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        kinds = hbox(self.exact, self.near, STRETCH, spacing=8)
        how = hbox(self.slider, self.number, self.live, STRETCH, spacing=8)
        whom = hbox(self.keep, (self.preview, 1), spacing=12)
        for row, (first, second) in enumerate(
            ((self.tr("Look for"), self.tr("in the")), (self.tr("At least"), self.tr("Keep")))
        ):
            grid.addWidget(Muted(first, self), row, 0)
            grid.addWidget(Muted(second, self), row, 2)
        grid.addLayout(kinds, 0, 1)
        grid.addWidget(self.compare, 0, 3, Qt.AlignmentFlag.AlignLeft)
        grid.addLayout(how, 1, 1)
        grid.addLayout(whom, 1, 3)
        compared = hbox(self.system, self.tools, self.shared, STRETCH, spacing=16)
        grid.addWidget(Muted(self.tr("Also compare"), self), 2, 0)
        grid.addLayout(compared, 2, 1, 1, 3)
        grid.addWidget(self.counted, 3, 0, 1, 4)
        self.counted.hide()
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        self.body.addLayout(grid)

    def _exact_chosen(self) -> None:
        self._choose(self.exact)
        self._moved()

    def _near_chosen(self) -> None:
        self._choose(self.near)
        self._moved()

    def _choose(self, chip: ChipButton) -> None:
        self.exact.setChecked(chip is self.exact)
        self.near.setChecked(chip is self.near)

    def _moved(self) -> None:
        self._show_number()
        self.changed.emit()

    def _show_number(self) -> None:
        near = self.near.isChecked()
        for widget in (self.slider, self.system, self.tools, self.shared):
            widget.setEnabled(near)
        self.number.setText(f"{self.threshold():.2f}" if near else "1.00")
