"""The inspector of the Write page: tokens and cost, findings, status, labels, tags, note and history."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QWidget

from curator.app.actions import action
from curator.app.annotate.annotating import LABEL, AnnotationChange
from curator.app.annotate.history_list import HistoryList
from curator.app.annotate.inspector import Inspector
from curator.app.counted import counted
from curator.app.editor.draft_counter import OFFERED, Measure
from curator.app.theme import icon
from curator.app.widgets.buttons import ChipButton, LinkButton, allow
from curator.app.widgets.flow import FlowLayout
from curator.app.widgets.key_button import KeyButton
from curator.app.widgets.layouts import hbox
from curator.app.widgets.number_field import NumberField
from curator.app.widgets.setting_fields import ComboBox
from curator.app.widgets.status_look import STATUS_LOOK, status_word
from curator.app.widgets.text import Elided, Meta, Plain, SectionTitle
from curator.curate.labels import labels_of
from curator.dataset import Annotation, Label, LabelSet, Status


class WritingInspector(Inspector):
    """All of an annotation can be changed here; base_model_chosen carries another base model to count for."""

    base_model_chosen = Signal(str)
    prompts_requested = Signal()
    pick_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._measure: Measure | None = None
        self._total = 0
        self._labels: dict[str, QComboBox] = {}
        self.tab_order: Callable[[bool], bool] | None = None
        self._build_tokens(self.one)
        self.add_findings()
        self._build_status(self.one)
        self.add_tags_and_note()
        self._build_history(self.one)
        self.whole.addStretch(1)

    def show_measure(
        self, measure: Measure | None, tokens: int, trained: int, rows: int, encoding: str = ""
    ) -> None:
        """Show the tokens of the draft, and of the rows the table shows, with what they would cost.

        encoding names what the rows are counted with where that is not the base model's own.
        """
        self._measure, self._total = measure, tokens
        if measure is None:
            self._this.setText(self.tr("Counting…") if rows else "")
        else:
            count = measure.count
            about = "" if count.exact else self.tr("about ")
            words = self.tr("{0}{1}, {2} trained")
            self._this.setText(
                words.format(about, counted(count.total, "token"), f"{count.trained:,}")
            )
        shown = self.tr("{0} in {1} shown, {2} trained")
        words = shown.format(counted(tokens, "token"), f"{rows:,}", f"{trained:,}")
        estimate = self.tr("{0}. Estimated with {1}, not the base's own vocabulary.")
        self._all.setText(estimate.format(words, encoding) if encoding and rows else words)
        self._show_cost()

    def show_base_model(self, name: str, note: str) -> None:
        """Show which base model is counted for, and what is guessed about it."""
        self._base.show_text(name)
        self._base_note.setText(note)
        self._base_note.setVisible(bool(note))

    def show_annotation(
        self,
        annotation: Annotation,
        sets: Sequence[LabelSet],
        labels: Sequence[Label],
        me: str,
        *,
        fresh: bool = False,
    ) -> None:
        """Show the annotation of a conversation, fresh: of another one; my labels can be changed."""
        for status, chip in self._status.items():
            chip.setChecked(status == annotation.status)
        self._flag.setChecked(annotation.flag)
        self.show_tags_and_note(annotation, fresh=fresh)
        self._show_labels(sets, labels, me)

    def show_nothing(self) -> None:
        """Show that no conversation is open: nothing can be annotated, and nothing typed is lost."""
        self.show_annotation(Annotation(), (), (), "", fresh=True)
        for chip in self._status.values():
            chip.setChecked(False)
        self.history.show_history(())
        self._enable_annotation(on=False, reason=self.tr("No conversation is chosen."))

    def set_read_only(self, *, read_only: bool) -> None:
        """Let things be changed, or only be read."""
        self._enable_annotation(on=not read_only)
        allow(self._prompts, allowed=not read_only)
        allow(self._base, allowed=not read_only)

    def _enable_annotation(self, *, on: bool, reason: str = "") -> None:
        for field in (*self._status.values(), self._flag, *self._labels.values(), self._pick):
            allow(field, allowed=on, reason=reason)
        super().set_read_only(read_only=not on)

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: FBT001 - Qt's own
        """Let the page say where Tab goes: the window keeps the inspector apart from its page."""
        if self.tab_order is not None:
            return self.tab_order(forward)
        return super().focusNextPrevChild(forward)

    def _build_tokens(self, inside: QWidget) -> None:
        self.column.addWidget(SectionTitle(self.tr("Tokens"), inside))
        self._this = Plain("", inside, wrap=True)
        self._all = Meta("", inside, wrap=True)
        self._cost = Meta("", inside, wrap=True)
        self._base = ComboBox(inside)
        self._base.setEditable(True)
        self._base.addItems(list(OFFERED))
        self._base.setAccessibleName(self.tr("Base model"))
        self._base.setMinimumContentsLength(8)
        self._base.setSizePolicy(
            self._base.sizePolicy().Policy.Ignored, self._base.sizePolicy().Policy.Fixed
        )
        self._base.activated.connect(self._choose_base)
        line = self._base.lineEdit()
        if line is not None:
            line.editingFinished.connect(self._choose_base)
        self._epochs = NumberField(inside)
        self._epochs.setRange(1, 50)
        self._epochs.setValue(3)
        self._epochs.setAccessibleName(self.tr("Epochs"))
        self._epochs.valueChanged.connect(self._show_cost)
        self._base_note = Meta("", inside, wrap=True)
        self._base_note.setProperty("tone", "warning")
        row = hbox((self._base, 1), self._epochs, spacing=8)
        self.column.addWidget(self._this)
        self.column.addLayout(row)
        for label in (self._all, self._cost, self._base_note):
            self.column.addWidget(label)

    def _build_status(self, inside: QWidget) -> None:
        self.column.addSpacing(8)
        self.column.addWidget(SectionTitle(self.tr("Status and labels"), inside))
        self._status: dict[Status, ChipButton] = {}
        line = QWidget(inside)
        row = FlowLayout(line, gap=6)
        for status, (icon_name, tone, _word) in STATUS_LOOK.items():
            chip = ChipButton(status_word(status), line)
            chip.setProperty("status", str(status))
            chip.setIcon(icon(icon_name, tone))
            chip.clicked.connect(self._status_pressed)
            self._status[status] = chip
            row.addWidget(chip)
        self._flag = ChipButton(self.tr("Flag"), line)
        self._flag.setIcon(icon("flag", "warning"))
        self._flag.clicked.connect(self._flag_pressed)
        row.addWidget(self._flag)
        self.column.addWidget(line)
        self._label_form = QFormLayout()
        self._label_form.setHorizontalSpacing(8)
        self._label_form.setVerticalSpacing(6)
        self.column.addLayout(self._label_form)
        entry = action("label.pick")
        self._pick = KeyButton(entry.label(), entry.shortcut, inside, icon_name=entry.icon)
        self._pick.setToolTip(entry.hint())
        self._pick.clicked.connect(self.pick_requested)
        self.column.addWidget(self._pick, 0, Qt.AlignmentFlag.AlignLeft)

    def _build_history(self, inside: QWidget) -> None:
        self.column.addSpacing(8)
        self._prompts = LinkButton(self.tr("System prompts of the project…"), inside)
        self._prompts.clicked.connect(self.prompts_requested)
        self.column.addWidget(self._prompts, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addWidget(SectionTitle(self.tr("History"), inside))
        self.history = HistoryList(inside)
        self.column.addWidget(self.history)

    def _show_labels(self, sets: Sequence[LabelSet], labels: Sequence[Label], me: str) -> None:
        if list(self._labels) != [each.name for each in sets]:
            while self._label_form.rowCount():
                self._label_form.removeRow(0)
            self._labels = {each.name: self._label_box(each) for each in sets}
            for name, box in self._labels.items():
                caption = Elided(name, self)
                caption.setFixedWidth(96)
                self._label_form.addRow(caption, box)
        mine = labels_of(labels, me)
        for name, box in self._labels.items():
            box.setCurrentIndex(max(0, box.findData(mine.get(name))))
        self._pick.setVisible(bool(sets))

    def _label_box(self, label_set: LabelSet) -> QComboBox:
        box = ComboBox(self)
        box.setAccessibleName(label_set.name)
        box.setProperty("label_set", label_set.name)
        box.addItem(self.tr("no answer"), None)
        for value in label_set.values:
            box.addItem(value, value)
        box.setMinimumContentsLength(6)
        box.activated.connect(self._label_chosen)
        return box

    def _show_cost(self) -> None:
        from curator.curate.cost import cost

        epochs = self._epochs.value()
        self._epochs.setSuffix(counted(epochs, "epoch").removeprefix(str(epochs)))
        found = cost(self._total, epochs, self._base.currentText())
        if found is None:
            self._cost.setText(self.tr("No price is known for this base model."))
            self._cost.setToolTip("")
            return
        amount = f"{found.amount:,.2f} {found.currency}"
        words = self.tr("{0} for {1} of these, price of {2}")
        self._cost.setText(words.format(amount, counted(epochs, "epoch"), found.as_of))
        tip = self.tr("{0} for a million tokens. {1}")
        self._cost.setToolTip(tip.format(f"{found.per_million} {found.currency}", found.source))

    def _choose_base(self) -> None:
        self.base_model_chosen.emit(self._base.currentText().strip())

    def _status_pressed(self) -> None:
        status = self.sender().property("status")
        self.change_requested.emit(AnnotationChange("status", str(status)))

    def _flag_pressed(self) -> None:
        self.change_requested.emit(AnnotationChange("flag", self._flag.isChecked()))

    def _label_chosen(self) -> None:
        box = self.sender()
        if isinstance(box, QComboBox):
            field = f"{LABEL}{box.property('label_set')}"
            self.change_requested.emit(AnnotationChange(field, box.currentData()))
