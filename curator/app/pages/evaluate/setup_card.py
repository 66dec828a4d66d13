"""What is evaluated: the split or filter, the candidates, where right labels stand, how many are asked."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from curator.app.widgets.card import Card
from curator.app.widgets.flow import FlowLayout
from curator.app.widgets.number_field import NumberField
from curator.app.widgets.setting_fields import ComboBox
from curator.app.widgets.text import Muted
from curator.tune.candidates import Asked, Candidate, first_pair
from curator.tune.evaluation.candidates import RunCandidate
from curator.tune.evaluation.preparing import Request

_MOST: Final = 1_000_000
_CHOOSER_PX: Final = 240
_SPLITS: Final = ("test", "validation", "train", "")


class _Field(QWidget):
    """A control with its name above it."""

    def __init__(self, name: str, control: QWidget, width: int, parent: QWidget) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(Muted(name, self))
        control.setParent(self)
        control.setAccessibleName(name)
        control.setFixedWidth(width)
        column.addWidget(control)


class SetupCard(Card):
    """The card at the top of the page; request() is what it says now."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, padding=12)
        self.split = ComboBox(self)
        words = {"": self.tr("every conversation")}
        for name in _SPLITS:
            self.split.addItem(words.get(name, name), name)
        self.where = QLineEdit(self)
        self.where.setPlaceholderText(self.tr("no filter"))
        self.where.setToolTip(
            self.tr("A filter as in the search field, such as label:intent=fraud")
        )
        self.base, self.tried = self._chooser(), self._chooser()
        self.label_set = ComboBox(self)
        self.most = NumberField(self)
        self.most.setRange(0, _MOST)
        self.most.setSpecialValueText(self.tr("all"))
        self.most.setToolTip(self.tr("So many questions, drawn by the seed; 0 asks all"))
        holder = QWidget(self)
        holder.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        row = FlowLayout(holder, gap=12)
        for name, control, width in (
            (self.tr("Split"), self.split, 150),
            (self.tr("Filter"), self.where, 170),
            (self.tr("First candidate"), self.base, _CHOOSER_PX),
            (self.tr("Second candidate"), self.tried, _CHOOSER_PX),
            (self.tr("Right labels"), self.label_set, 170),
            (self.tr("Questions"), self.most, 90),
        ):
            row.addWidget(_Field(name, control, width, holder))
        self.body.addWidget(holder)
        self._connect()

    def _chooser(self) -> ComboBox:
        box = ComboBox(self)
        box.setEditable(True)
        box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        box.setMinimumContentsLength(12)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        return box

    def _connect(self) -> None:
        for box in (self.split, self.base, self.tried, self.label_set):
            box.currentTextChanged.connect(self.changed)
        self.where.textChanged.connect(self.changed)
        self.most.valueChanged.connect(self.changed)

    def offer(self, asked: Sequence[Asked], label_sets: Sequence[str]) -> None:
        """Offer candidates and label sets; what was chosen or written before stays."""
        pair = first_pair(asked)
        entries = [
            (_words(one, candidate), candidate) for one in asked for candidate in one.candidates
        ]
        wishes = dict.fromkeys(
            words for wish in pair or () for words, candidate in entries if candidate == wish
        )
        first, second = [*wishes, "", ""][:2]
        nobody = (self.tr("nobody"), None)
        for box, offered, wish in (
            (self.base, entries, first),
            (self.tried, [nobody, *entries], second or nobody[0]),
        ):
            box.offer(offered, box.currentText() or wish)
        answers = (self.tr("in the answers"), "")
        sets = [answers, *((name, name) for name in label_sets)]
        self.label_set.offer(sets, self.label_set.currentText() or answers[0])
        self.changed.emit()

    def choose_tried(self, name: str) -> None:
        """Choose a checkpoint as the second candidate and its base as the first."""
        for at in range(self.tried.count()):
            candidate = self.tried.itemData(at)
            if not isinstance(candidate, Candidate) or candidate.name != name:
                continue
            self.tried.setCurrentIndex(at)
            for place in range(self.base.count()):
                other = self.base.itemData(place)
                if isinstance(other, Candidate) and (other.target, other.name) == (
                    candidate.target,
                    candidate.partner,
                ):
                    self.base.setCurrentIndex(place)
            return

    def is_ready(self) -> bool:
        """Whether there is somebody to ask."""
        return bool(self.base.currentText().strip())

    def request(self) -> Request:
        """Return what is asked for; raises WrongUse for a typed name that names nobody."""
        found = [self._candidate(self.base)]
        if self.tried.currentText() not in ("", self.tr("nobody")):
            second = self._candidate(self.tried)
            twin = second.name == found[0].name
            found.append(
                RunCandidate(f"{second.name} (2)", second.target, second.model) if twin else second
            )
        return Request(
            tuple(found),
            split=str(self.split.currentData() or ""),
            where=self.where.text().strip(),
            label_set=str(self.label_set.currentData() or ""),
            limit=self.most.value() or None,
        )

    @staticmethod
    def _candidate(box: ComboBox) -> RunCandidate:
        text = box.currentText().strip()
        at = box.findText(text)
        candidate = box.itemData(at) if at >= 0 else None
        if isinstance(candidate, Candidate):
            return RunCandidate(candidate.label, candidate.target, candidate.name)
        return RunCandidate.parse(text)


def _words(one: Asked, candidate: Candidate) -> str:
    return f"{candidate.label} · {one.target.label}"
