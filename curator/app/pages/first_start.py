"""The first page: what Curator is, four ways in, and the projects opened lately."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from curator.app.actions import Action, action
from curator.app.dates import local_time
from curator.app.page import Page
from curator.app.session.background import Jobs
from curator.app.session.recents import Recent, recent_projects
from curator.app.session.session import Session
from curator.app.widgets.buttons import press_on_enter
from curator.app.widgets.empty_state import IconPicture
from curator.app.widgets.layouts import STRETCH, Gap, Stretch, hbox, vbox
from curator.app.widgets.text import Elided, Meta, Muted, PageTitle, SectionTitle

COLUMN_PX = 808


class FirstStartPage(Page):
    """Shown while no project is open."""

    page_id = "start"
    title = "Curator"
    icon = "curator"

    def __init__(self, session: Session, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(session, jobs, parent)
        self.header.hide()
        column = QWidget(self)
        column.setFixedWidth(COLUMN_PX)
        inside = vbox(
            Stretch(2),
            self._greeting(),
            Gap(24),
            self._ways(),
            Gap(24),
            parent=column,
            spacing=8,
            margins=0,
        )
        self._recent_title = SectionTitle(self.tr("Opened lately"), column)
        inside.addWidget(self._recent_title)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        inside.addLayout(self._recent)
        inside.addStretch(3)
        hint = Meta(self.tr("Or drop a file anywhere on this window."), column)
        inside.addWidget(hint, 0, Qt.AlignmentFlag.AlignHCenter)
        self.body.addWidget(column, 1, Qt.AlignmentFlag.AlignHCenter)

    def activated(self) -> None:
        """Read the list of projects again."""
        while (item := self._recent.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        recents = recent_projects()
        self._recent_title.setVisible(bool(recents))
        for recent in recents[:5]:
            row = _RecentRow(recent, self)
            row.chosen.connect(self._open)
            self._recent.addWidget(row)

    def _open(self, path: Path) -> None:
        self.session.open_project(path)

    def _greeting(self) -> QHBoxLayout:
        sentence = self.tr(
            "Write, label, check and split conversations, and train a base model on them."
        )
        words = vbox(
            PageTitle(self.tr("Curator"), self), Muted(sentence, self, wrap=True), spacing=4
        )
        return hbox(IconPicture("curator", "text", 56, self), (words, 1), spacing=16)

    def _ways(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(16)
        texts = {
            "file.write": self.tr("An empty project, the cursor in its first question."),
            "file.open": self.tr("Go on where you or others stopped."),
            "file.import": self.tr("A project is made beside the file; the file stays as it is."),
            "file.sample": self.tr("A support desk with every kind of fault to fix."),
        }
        for action_id, text in texts.items():
            button = _StartCard(action(action_id), text, self)
            button.action_requested.connect(self.action_requested)
            row.addWidget(button, 1)
        return row


class _StartCard(QPushButton):
    """One big button: icon, name, key and a sentence."""

    action_requested = Signal(str)

    def __init__(self, entry: Action, sentence: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._id = entry.id
        self.setProperty("kind", "way")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(entry.label())
        self.setAccessibleDescription(sentence)
        self.setFixedHeight(136)
        top = hbox(
            IconPicture(entry.icon, "accent", 24, self),
            STRETCH,
            (Meta(entry.shortcut, self), 0, Qt.AlignmentFlag.AlignTop),
        )
        vbox(
            top,
            Gap(4),
            SectionTitle(entry.label(), self),
            Muted(sentence, self, wrap=True),
            STRETCH,
            parent=self,
            spacing=4,
            margins=16,
        )
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.clicked.connect(self._ask)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Be pressed by Enter too."""
        if not press_on_enter(self, event):
            super().keyPressEvent(event)

    def _ask(self) -> None:
        self.action_requested.emit(self._id)


class _RecentRow(QPushButton):
    """One project: its name, where it lies, when it was written."""

    chosen = Signal(object)

    def __init__(self, recent: Recent, parent: QWidget) -> None:
        super().__init__(parent)
        self._path = recent.path
        self.setProperty("kind", "row")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(self.tr("Open {0}").format(recent.path.stem))
        self.setToolTip(str(recent.path))
        self.setFixedHeight(36)
        picture = IconPicture("file", "text-muted", 16, self)
        name = Elided(recent.path.stem, self)
        folder = Elided(short_folder(recent.path.parent), self)
        folder.setProperty("kind", "muted")
        when = Meta(local_time(recent.changed), self)
        hbox(picture, name, (folder, 1), when, parent=self, spacing=12, margins=(8, 0, 8, 0))
        for child in self.findChildren(QWidget):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.clicked.connect(self._choose)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Be pressed by Enter too."""
        if not press_on_enter(self, event):
            super().keyPressEvent(event)

    def _choose(self) -> None:
        self.chosen.emit(self._path)


def short_folder(folder: Path) -> str:
    """Write a folder with ~ for the home folder."""
    try:
        return str(Path("~") / folder.relative_to(Path.home()))
    except ValueError:
        return str(folder)
