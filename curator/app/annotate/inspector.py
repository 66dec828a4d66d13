"""The right side of the Write page: tokens and cost, findings, what people said, prompts, history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from curator.app.actions import action
from curator.app.annotate.history_list import HistoryList
from curator.app.counted import counted
from curator.app.editor.editor_header import STATUS_TONES
from curator.app.editor.findings_list import fix_label
from curator.app.editor.gauge import OFFERED, Measure
from curator.app.theme import TEXT_PX, font, icon
from curator.app.widgets.buttons import ChipButton, LinkButton
from curator.app.widgets.card import Card
from curator.app.widgets.flow import FlowLayout
from curator.app.widgets.key_button import KeyButton
from curator.app.widgets.message_text import MessageText
from curator.app.widgets.number_field import NumberField
from curator.app.widgets.setting_fields import ComboBox
from curator.app.widgets.severity import SeverityIcon
from curator.app.widgets.tags_field import TagsField
from curator.app.widgets.text import Elided, Meta, Plain, SectionTitle
from curator.dataset import Annotation, Finding, Label, LabelSet
from curator.dataset.json_values import Json

IDLE_MS = 300
SHOWN_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class AnnotationChange:
    """An annotation field somebody wants to have another value; a writing names keys of one step."""

    field: str
    value: Json
    writing: str = ""


class FindingEntry(Card):
    """One finding as a small card: what is wrong, where, and the way out."""

    chosen = Signal(object)
    fix_requested = Signal(object)

    def __init__(self, finding: Finding, parent: QWidget | None = None) -> None:
        super().__init__(parent, padding=8)
        self.finding = finding
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(SeverityIcon(finding.severity, self, 14), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(Plain(finding.message, self, wrap=True), 1)
        self.body.addLayout(row)
        second = QHBoxLayout()
        second.setSpacing(4)
        second.addWidget(Meta(finding.rule, self))
        second.addStretch(1)
        if finding.place.message is not None:
            show = LinkButton(self.tr("Turn {0}").format(finding.place.message + 1), self)
            show.clicked.connect(self._choose)
            second.addWidget(show)
        if fix_label(finding):
            fix = LinkButton(fix_label(finding), self)
            fix.clicked.connect(self._fix)
            second.addWidget(fix)
        self.body.addLayout(second)
        self.body.setSpacing(0)

    def _choose(self) -> None:
        self.chosen.emit(self.finding)

    def _fix(self) -> None:
        self.fix_requested.emit(self.finding)


class Inspector(QScrollArea):
    """Shows what is known of the open conversation and tells what somebody wants changed."""

    change_requested = Signal(object)
    fix_requested = Signal(object)
    finding_chosen = Signal(object)
    base_model_chosen = Signal(str)
    prompts_requested = Signal()
    pick_requested = Signal()
    text_left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._annotation = Annotation()
        self._measure: Measure | None = None
        self._rows = 1
        self._entries: list[QWidget] = []
        self._labels: dict[str, QComboBox] = {}
        self.tab_order: Callable[[bool], bool] | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = QWidget(self)
        inside.setProperty("kind", "canvas")
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(16, 16, 16, 16)
        self._column.setSpacing(8)
        self._build_tokens(inside)
        self._build_findings(inside)
        self._build_annotation(inside)
        self._build_rest(inside)
        self._column.addStretch(1)
        self.setWidget(inside)
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(IDLE_MS)
        self._idle.timeout.connect(self.commit)

    def show_measure(self, measure: Measure | None, tokens: int, trained: int, rows: int) -> None:
        """Show the tokens of the draft, and of the rows the table shows, with what they would cost."""
        self._measure, self._total, self._rows = measure, tokens, rows
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
        self._all.setText(shown.format(counted(tokens, "token"), f"{rows:,}", f"{trained:,}"))
        self._show_cost()

    def show_base_model(self, name: str, note: str) -> None:
        """Show which base model is counted for, and what is guessed about it."""
        self._base.show_text(name)
        self._base_note.setText(note)
        self._base_note.setVisible(bool(note))

    def show_findings(self, findings: Sequence[Finding]) -> None:
        """Show what the checks found in the draft."""
        for entry in self._entries:
            self._findings.removeWidget(entry)
            entry.deleteLater()
        self._entries.clear()
        title = self.tr("Findings") if findings else self.tr("No findings")
        self._findings_title.setText(f"{title}  {len(findings)}" if findings else title)
        for finding in findings[:SHOWN_FINDINGS]:
            entry = FindingEntry(finding, self)
            entry.chosen.connect(self.finding_chosen)
            entry.fix_requested.connect(self.fix_requested)
            self._entries.append(entry)
            self._findings.addWidget(entry)
        if len(findings) > SHOWN_FINDINGS:
            more = Meta(self.tr("{0} more").format(len(findings) - SHOWN_FINDINGS), self)
            self._entries.append(more)
            self._findings.addWidget(more)

    def show_annotation(
        self,
        annotation: Annotation,
        sets: Sequence[LabelSet],
        labels: Sequence[Label],
        me: str,
        *,
        fresh: bool = False,
    ) -> None:
        """Show what people said of the conversation, fresh: of another one; my labels can be changed.

        What is written and not given out yet must be committed before the annotation is read.
        """
        self._annotation = annotation
        for status, chip in self._status.items():
            chip.setChecked(status == str(annotation.status))
        self._flag.setChecked(annotation.flag)
        self._tags.show_tags(annotation.tags, fresh=fresh)
        self.note.show_text(annotation.note, fresh=fresh)
        self._show_labels(sets, labels, me)

    def show_nobody(self) -> None:
        """Show that no conversation is open: nothing can be said of it, and nothing typed is lost."""
        self.show_annotation(Annotation(), (), (), "", fresh=True)
        for chip in self._status.values():
            chip.setChecked(False)
        self.history.show_history(())
        self._allow(allowed=False)

    def set_read_only(self, *, read_only: bool) -> None:
        """Let things be changed, or only be read."""
        self._allow(allowed=not read_only)
        self._prompts.setEnabled(not read_only)
        self._base.setEnabled(not read_only)

    def _allow(self, *, allowed: bool) -> None:
        """Let something be said of the conversation."""
        for field in (*self._status.values(), self._flag, *self._labels.values(), self._pick):
            field.setEnabled(allowed)
        self._tags.setReadOnly(not allowed)
        self.note.setReadOnly(not allowed)

    def commit(self) -> None:
        """Give out what was typed and not yet written."""
        self._idle.stop()
        if self.note.is_written:
            self.change_requested.emit(
                AnnotationChange("note", self.note.take(), self.note.writing)
            )
        self._tags.commit()

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: FBT001 - Qt's own
        """Let the page say where Tab goes: the window keeps the inspector apart from its page."""
        if self.tab_order is not None:
            return self.tab_order(forward)
        return super().focusNextPrevChild(forward)

    def focus_note(self) -> None:
        """Put the cursor into the note."""
        self.note.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focus_tags(self) -> None:
        """Put the cursor into the tags."""
        self._tags.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _build_tokens(self, inside: QWidget) -> None:
        self._column.addWidget(SectionTitle(self.tr("Tokens"), inside))
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
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._base, 1)
        row.addWidget(self._epochs)
        self._total = 0
        self._column.addWidget(self._this)
        self._column.addLayout(row)
        for label in (self._all, self._cost, self._base_note):
            self._column.addWidget(label)

    def _build_findings(self, inside: QWidget) -> None:
        self._column.addSpacing(8)
        self._findings_title = SectionTitle("", inside)
        self._column.addWidget(self._findings_title)
        self._findings = QVBoxLayout()
        self._findings.setSpacing(6)
        self._column.addLayout(self._findings)

    def _build_annotation(self, inside: QWidget) -> None:
        self._column.addSpacing(8)
        self._column.addWidget(SectionTitle(self.tr("Status and labels"), inside))
        words = (self.tr("Pending"), self.tr("Accepted"), self.tr("Rejected"), self.tr("Skipped"))
        self._status: dict[str, ChipButton] = {}
        line = QWidget(inside)
        row = FlowLayout(line, gap=6)
        for status, word in zip(STATUS_TONES, words, strict=True):
            chip = ChipButton(word, line)
            chip.setProperty("status", status)
            chip.setIcon(icon(STATUS_TONES[status][1], STATUS_TONES[status][0]))
            chip.clicked.connect(self._status_pressed)
            self._status[status] = chip
            row.addWidget(chip)
        self._flag = ChipButton(self.tr("Flag"), line)
        self._flag.setIcon(icon("flag", "warning"))
        self._flag.clicked.connect(self._flag_pressed)
        row.addWidget(self._flag)
        self._column.addWidget(line)
        self._label_form = QFormLayout()
        self._label_form.setHorizontalSpacing(8)
        self._label_form.setVerticalSpacing(6)
        self._column.addLayout(self._label_form)
        entry = action("label.pick")
        self._pick = KeyButton(entry.label(), entry.shortcut, inside, icon_name=entry.icon)
        self._pick.setToolTip(entry.hint())
        self._pick.clicked.connect(self.pick_requested)
        self._column.addWidget(self._pick, 0, Qt.AlignmentFlag.AlignLeft)
        self._tags = TagsField(self.tr("Tags, with commas between them"), inside)
        self._tags.written.connect(self._tags_written)
        self._tags.finished.connect(self.text_left)
        self._column.addWidget(self._tags)
        self.note = MessageText(inside, line_height=125)
        self.note.setFont(font(TEXT_PX))
        self.note.setProperty("kind", "plain")
        self.note.setPlaceholderText(self.tr("Note"))
        self.note.setAccessibleName(self.tr("Note"))
        self.note.text_edited.connect(self._note_typed)
        self.note.left.connect(self.commit)
        card = Card(inside, padding=8)
        card.body.addWidget(self.note)
        card.setProperty("kind", "field")
        self._column.addWidget(card)

    def _build_rest(self, inside: QWidget) -> None:
        self._column.addSpacing(8)
        self._prompts = LinkButton(self.tr("System prompts of the project…"), inside)
        self._prompts.clicked.connect(self.prompts_requested)
        self._column.addWidget(self._prompts, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addWidget(SectionTitle(self.tr("History"), inside))
        self.history = HistoryList(inside)
        self._column.addWidget(self.history)

    def _show_labels(self, sets: Sequence[LabelSet], labels: Sequence[Label], me: str) -> None:
        if list(self._labels) != [each.name for each in sets]:
            while self._label_form.rowCount():
                self._label_form.removeRow(0)
            self._labels = {each.name: self._label_box(each) for each in sets}
            for name, box in self._labels.items():
                caption = Elided(name, self)
                caption.setFixedWidth(96)
                self._label_form.addRow(caption, box)
        mine = {label.label_set: label.value for label in labels if label.annotator == me}
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
        self.change_requested.emit(
            AnnotationChange("status", str(self.sender().property("status")))
        )

    def _flag_pressed(self) -> None:
        self.change_requested.emit(AnnotationChange("flag", self._flag.isChecked()))

    def _label_chosen(self) -> None:
        box = self.sender()
        if isinstance(box, QComboBox):
            self.change_requested.emit(
                AnnotationChange(f"label:{box.property('label_set')}", box.currentData())
            )

    def _note_typed(self) -> None:
        self._idle.start()

    def _tags_written(self, tags: tuple[str, ...]) -> None:
        self.change_requested.emit(AnnotationChange("tags", list(tags)))
