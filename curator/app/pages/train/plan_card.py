"""What a start would do, in numbers and plain words, before it does it."""

from collections.abc import Sequence
from decimal import Decimal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from curator.app.theme import number_font
from curator.app.widgets.buttons import LinkButton, PlainButton
from curator.app.widgets.card import Card
from curator.app.widgets.empty_state import IconPicture
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.progress_row import duration
from curator.app.widgets.text import Meta, Muted, Plain, SectionTitle
from curator.curate.cost import Cost
from curator.tune.jobs.dry_run import DryRun


class PlanCard(Card):
    """The dry run: empty until one was made, and grey once something typed no longer fits it."""

    run_requested = Signal()
    call_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.body.addWidget(SectionTitle(self.tr("Before anything starts"), self))
        self._state = Muted("", self, wrap=True)
        self.body.addWidget(self._state)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        self.body.addLayout(self._grid)
        self._notes = QVBoxLayout()
        self._notes.setSpacing(8)
        self.body.addLayout(self._notes)
        self._run = PlainButton(self.tr("Dry run"), self, icon_name="calculator")
        self._run.clicked.connect(self.run_requested)
        self._call = LinkButton(self.tr("Show the call"), self)
        self._call.setToolTip(self.tr("The exact call as Python and curl"))
        self._call.clicked.connect(self.call_requested)
        self.body.addLayout(hbox(self._run, self._call, STRETCH))
        self.show_nothing()

    def show_nothing(self, words: str = "") -> None:
        """Say what a dry run is for, or why the last one no longer counts."""
        self._clear()
        usual = self.tr(
            "A dry run counts rows and tokens and says what the job costs and what to know "
            "before. Nothing leaves this computer."
        )
        self._state.setText(words or usual)
        self._state.show()

    def show_working(self, words: str) -> None:
        """Say how far the counting is."""
        self._state.setText(words)
        self._state.show()

    def show_plan(self, plan: DryRun) -> None:
        """Show a dry run's numbers, errors and warnings."""
        self._clear()
        self._state.hide()
        for place, (name, value, note) in enumerate(self._facts(plan)):
            number = Plain(value, self)
            number.setFont(number_font())
            number.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            number.setAccessibleName(f"{name}: {value}")
            self._grid.addWidget(Muted(name, self), place, 0, Qt.AlignmentFlag.AlignTop)
            cell = vbox(number, spacing=0)
            if note:
                cell.addWidget(Meta(note, self, wrap=True))
            self._grid.addLayout(cell, place, 1)
        for text in plan.errors:
            self._notes.addWidget(_Note(text, "error", "danger", self))
        for text in plan.warnings:
            self._notes.addWidget(_Note(text, "warning", "warning", self))

    def _facts(self, plan: DryRun) -> Sequence[tuple[str, str, str]]:
        about = "" if plan.exact else "≈ "
        left_out = self.tr("{0} left out, {1} cut").format(f"{plan.dropped:,}", f"{plan.cut:,}")
        product = f"{about}{plan.tokens:,} × {plan.epochs} = {plan.billed_tokens:,}"
        epochs = self.tr("tokens × epochs you chose")
        if not plan.epochs_chosen:
            epochs = (
                self.tr("tokens × epochs, as the service usually chooses them")
                if plan.memory is None
                else self.tr("tokens × epochs, as the trainer chooses them")
            )
        time = self.tr("unknown until one such job has ended")
        if plan.seconds is not None:
            time = self.tr("about {0}").format(duration(plan.seconds))
        here = self.tr("of one core; measured anew after some steps") if plan.memory else ""
        memory = () if plan.memory is None else (self._memory(plan.memory),)
        return (
            (self.tr("Goes to"), plan.host, ""),
            (self.tr("Rows"), f"{plan.rows:,}", left_out),
            (self.tr("Tokens"), product, epochs),
            (self.tr("Cost"), *self._cost(plan.cost)),
            (self.tr("Time"), time, here if plan.seconds is not None else ""),
            *memory,
        )

    def _memory(self, needed: int) -> tuple[str, str, str]:
        words = self.tr("about {0} GB").format(f"{needed / 2**30:.1f}")
        return self.tr("Memory"), words, self.tr("at most, while it trains")

    def _cost(self, price: Cost | None) -> tuple[str, str]:
        if price is None:
            return self.tr("unknown"), self.tr("no price is known here")
        if not price.amount:
            return self.tr("nothing"), price.source
        note = self.tr("prices of {0}: {1} for a million tokens").format(
            price.as_of.isoformat(), money(price.per_million, price.currency)
        )
        return f"≈ {money(price.amount, price.currency)}", note

    def _clear(self) -> None:
        for layout in (self._grid, self._notes):
            _empty(layout)


class _Note(QWidget):
    """One sentence worth knowing, with its mark."""

    def __init__(self, text: str, icon_name: str, tone: str, parent: QWidget) -> None:
        super().__init__(parent)
        side = vbox(IconPicture(icon_name, tone, 16, self), STRETCH)
        hbox(side, (Plain(text, self, wrap=True), 1), parent=self, spacing=8, margins=0)


def money(amount: Decimal, currency: str) -> str:
    """Write an amount of money: cents below a hundred, a smaller unit where cents would be nothing."""
    if 0 < amount < Decimal("0.01"):
        return f"< 0.01 {currency}"
    return f"{amount:,.2f} {currency}" if amount < 100 else f"{amount:,.0f} {currency}"


def _empty(layout: QGridLayout | QVBoxLayout) -> None:
    while item := layout.takeAt(0):
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif isinstance(inner, (QGridLayout, QVBoxLayout)):
            _empty(inner)
            inner.deleteLater()
