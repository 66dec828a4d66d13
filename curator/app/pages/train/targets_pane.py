"""The list of targets with their keys, and what the connection test found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from curator.app.counted import counted
from curator.app.pages.train.setup_card import SetupCard
from curator.app.tables import Index
from curator.app.theme import META_PX, TEXT_PX, font, paint_icon, tokens
from curator.app.widgets.buttons import FlatButton
from curator.app.widgets.card import Card
from curator.app.widgets.empty_state import IconPicture
from curator.app.widgets.layouts import STRETCH, clear, hbox, vbox
from curator.app.widgets.text import Meta, Muted, SectionTitle
from curator.tune.checkpoint_names import checkpoint_name
from curator.tune.jobs.table import Job
from curator.tune.services.probing import Probe
from curator.tune.targets.addresses import host_of
from curator.tune.targets.profiles import Target

ROW_PX = 44


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target as the list shows it; key says where its key comes from, or "missing".

    trainer and practice say of this computer whether it can train, and has the practice base;
    checkpoints are those a job on it can start from, each with the job that made it.
    """

    target: Target
    key: str
    is_own: bool
    trainer: bool = False
    practice: bool = False
    checkpoints: tuple[tuple[str, Job], ...] = ()

    def for_project(self, path: str) -> Target:
        """Return the target with the checkpoints of a project's own jobs behind its bases."""
        own = tuple(name for name, job in self.checkpoints if job.is_of(path))
        return self.target.model_copy(update={"bases": (*self.target.bases, *own)})

    @property
    def names(self) -> Mapping[str, str]:
        """What its checkpoints are called, by id."""
        return {name: checkpoint_name(job) for name, job in self.checkpoints}

    @property
    def is_local(self) -> bool:
        """Whether it is this computer, whose server starts by itself."""
        return self.target.protocol == "local"

    @property
    def is_addressed(self) -> bool:
        """Whether it is known where it is."""
        return self.is_local or self.target.is_complete

    @property
    def is_ready(self) -> bool:
        """Whether a job could be started there: address filled in and key or trainer present."""
        return self.trainer if self.is_local else self.is_addressed and self.key != "missing"


class TargetsPane(QWidget):
    """Targets at the left: choose one, test it, add or edit one of your own."""

    target_chosen = Signal(object)
    add_requested = Signal()
    edit_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[TargetRow, ...] = ()
        self._shows_every = False
        column = vbox(self._head(), parent=self, spacing=8, margins=0)
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("Targets"))
        self.list.setItemDelegate(_TargetDelegate(self.list))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentRowChanged.connect(self._choose)
        self.setFocusProxy(self.list)
        column.addWidget(self.list, 2)
        self._every = FlatButton("", self, icon_name="chevron-down")
        self._every.clicked.connect(self._show_every)
        # It has words once the targets are read.
        self._every.hide()
        column.addWidget(self._every, 0, Qt.AlignmentFlag.AlignLeft)
        self._result = _ProbeCard(self)
        self.setup = SetupCard(self)
        column.addWidget(self.setup)
        column.addWidget(self._result, 0)
        column.addStretch(1)

    def show_rows(self, rows: Sequence[TargetRow]) -> None:
        """Show the targets; the one that was chosen stays chosen where it is still there."""
        before = self.current()
        self._rows = tuple(rows)
        self._add.setEnabled(bool(self._rows))
        self.list.blockSignals(True)  # noqa: FBT003 - Qt's own signature
        self.list.clear()
        for row in self._rows:
            item = QListWidgetItem(row.target.label)
            item.setData(Qt.ItemDataRole.UserRole, row)
            item.setToolTip(self._tip(row))
            words = f"{row.target.label}, {self._facts(row)}"
            item.setData(Qt.ItemDataRole.AccessibleTextRole, words)
            item.setData(Qt.ItemDataRole.StatusTipRole, self._facts(row))
            item.setSizeHint(QSize(160, ROW_PX))
            self.list.addItem(item)
        self.list.blockSignals(False)  # noqa: FBT003 - Qt's own signature
        self._show_fitting()
        wanted = before.target.id if before else self._best()
        ids = [row.target.id for row in self._rows]
        self.list.setCurrentRow(ids.index(wanted) if wanted in ids else 0)

    def choose(self, target_id: str) -> None:
        """Bring a target to the front of the composer."""
        ids = [row.target.id for row in self._rows]
        if target_id in ids:
            self.list.setCurrentRow(ids.index(target_id))

    def choose_again(self) -> None:
        """Show once more what the chosen target needs."""
        self._choose(self.list.currentRow())

    def current(self) -> TargetRow | None:
        """Return the target chosen."""
        place = self.list.currentRow()
        return self._rows[place] if 0 <= place < len(self._rows) else None

    def show_probe(self, probe: Probe | None, words: str = "") -> None:
        """Show what the connection test found, or words while it runs or where it could not run."""
        self._result.show_probe(probe, words)

    def _head(self) -> QHBoxLayout:
        self._edit = FlatButton(self.tr("Edit"), self)
        self._edit.clicked.connect(self._ask_edit)
        self._add = FlatButton(self.tr("Add"), self, icon_name="plus")
        self._add.clicked.connect(self.add_requested)
        # A new target is made from one of those shown, which are still being read.
        self._add.setEnabled(False)
        return hbox(
            SectionTitle(self.tr("Target"), self), STRETCH, self._edit, self._add, spacing=4
        )

    def _best(self) -> str:
        """Return the first target that is ready, the first of all where none is."""
        ready = [row.target.id for row in self._rows if row.is_ready]
        first = self._rows[0].target.id if self._rows else ""
        return ready[0] if ready else ("openai" if "openai" in self._ids() else first)

    def _show_every(self) -> None:
        self._shows_every = True
        self._show_fitting()

    def _show_fitting(self) -> None:
        """Show the targets a job could start at; the others when asked for, or where there are none."""
        fitting = [row.is_ready or row.is_local or row.is_own for row in self._rows]
        every = self._shows_every or not any(row.is_ready for row in self._rows)
        chosen = self.list.currentRow()
        shown = [every or fits or place == chosen for place, fits in enumerate(fitting)]
        for place, is_shown in enumerate(shown):
            self.list.setRowHidden(place, not is_shown)
        count = max(1, sum(shown))
        self.list.setMinimumHeight(min(count, 2) * ROW_PX + 4)
        self.list.setMaximumHeight(count * ROW_PX + 4)
        left = len(shown) - sum(shown)
        self._every.setText(counted(left, "other service"))
        self._every.setVisible(bool(left))

    def rows(self) -> tuple[TargetRow, ...]:
        """Return the targets shown."""
        return self._rows

    def _ids(self) -> set[str]:
        return {row.target.id for row in self._rows}

    def _tip(self, row: TargetRow) -> str:
        if row.is_local:
            return row.target.note
        variable = self.tr("The key may stand in the environment variable {0}.")
        return "\n".join(filter(None, (variable.format(row.target.key_env), row.target.note)))

    def _facts(self, row: TargetRow) -> str:
        if row.is_local:
            return self.tr("ready") if row.trainer else self.tr("trainer to set up")
        if not row.target.is_complete:
            return self.tr("address to fill in")
        places = {
            "missing": self.tr("no key"),
            "environment": self.tr("key set"),
            "key store": self.tr("key stored"),
            "not needed": self.tr("no key needed"),
        }
        return f"{host_of(row.target.url)} · {places[row.key]}"

    def _choose(self, place: int) -> None:
        if 0 <= place < len(self._rows):
            row = self._rows[place]
            if self.list.isRowHidden(place):
                self._show_fitting()
            self._result.show_probe(None, self._missing(row))
            self.setup.show_need(
                trainer=row.trainer or not row.is_local, practice=row.practice or not row.is_local
            )
            self._edit.setEnabled(not row.is_local)
            self.target_chosen.emit(row)

    def _missing(self, row: TargetRow) -> str:
        """Say what stands between a target and a start, empty for nothing."""
        if row.is_local:
            return ""
        if not row.target.is_complete:
            names = ", ".join(field.label for field in row.target.address_fields)
            return self.tr("Press Edit and fill in: {0}.").format(names)
        if row.key == "missing":
            words = self.tr("There is no API key yet. Press Edit to store one, or set {0}.")
            return words.format(row.target.key_env)
        return ""

    def _ask_edit(self) -> None:
        row = self.current()
        if row is not None:
            self.edit_requested.emit(row)


class _TargetDelegate(QStyledItemDelegate):
    """Paints a target in two lines with a mark where it is ready."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        look = tokens()
        row = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = option.rect.adjusted(4, 2, -4, -2)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if selected or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.colour("selection" if selected else "hover"))
            painter.drawRoundedRect(box, 6, 6)
        tone = "success" if row.is_ready else "text-muted"
        name = "check" if row.is_ready else "key"
        paint_icon(painter, name, QRect(box.left() + 8, box.top() + 12, 16, 16), tone)
        text = box.adjusted(32, 4, -8, -4)
        half = text.height() // 2
        lines = (
            (row.target.label, font(TEXT_PX), "text", text.top()),
            (str(index.data(Qt.ItemDataRole.StatusTipRole)), font(META_PX), "text-muted",
             text.top() + half),
        )  # fmt: skip
        for words, kind, colour, top in lines:
            painter.setFont(kind)
            painter.setPen(look.colour(colour))
            shown = painter.fontMetrics().elidedText(
                words, Qt.TextElideMode.ElideRight, text.width()
            )
            place = QRect(text.left(), top, text.width(), half)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), shown)
        painter.restore()


class _ProbeCard(Card):
    """The sentences of a connection test."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, padding=12)
        self._title = SectionTitle("", self)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(8)
        self.body.addWidget(self._title)
        self.body.addLayout(self._lines)
        self.hide()

    def show_probe(self, probe: Probe | None, words: str) -> None:
        """Show a test's sentences, each with its mark."""
        clear(self._lines)
        self.setVisible(probe is not None or bool(words))
        if probe is None:
            self._title.setText(self.tr("Connection"))
            self._lines.addWidget(Muted(words, self, wrap=True))
            return
        self._title.setText(
            self.tr("The connection works") if probe.works else self.tr("Jobs cannot start there")
        )
        marks = (probe.lists_bases, probe.fine_tuning, probe.files)
        for sentence, good in zip(probe.sentences, marks, strict=False):
            self._lines.addWidget(_Sentence(sentence, good=bool(good), parent=self))
        self._lines.addWidget(Meta(self.tr("Nothing was uploaded."), self))


class _Sentence(QWidget):
    def __init__(self, text: str, *, good: bool, parent: QWidget) -> None:
        super().__init__(parent)
        tone = "success" if good else "warning"
        side = vbox(IconPicture("check" if good else "warning", tone, 16, self), STRETCH)
        hbox(side, (Muted(text, self, wrap=True), 1), parent=self, spacing=8, margins=0)
