"""A person at the real window: sees what is visible, presses keys, clicks what has a name.

Everything is found by what people (and screen readers) find it by: texts and accessible names. So a
story breaks where a person would be lost, and not where a widget moved.
"""

import re
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QTableView,
    QTextEdit,
    QWidget,
)
from pytestqt.exceptions import TimeoutError as TooLate
from pytestqt.qtbot import QtBot

from curator.app.main import Curator, make_application
from curator.app.session.file_actions import FileDialogs
from curator.app.widgets.chip import Chip
from curator.project import Project

SOON_MS = 60_000
"""How long a person would wait at most before calling it broken."""

SAMPLE = "support desk sample"


class Prepared(FileDialogs):
    """Answers the system's file dialogs with a path that was chosen before."""

    def __init__(self) -> None:
        self.answer = Path()

    def open_project(self, *_: object) -> Path | None:
        return self.answer

    def new_project(self, *_: object) -> Path | None:
        return self.answer

    def files(self, *_: object) -> tuple[Path, ...]:
        return (self.answer,)


class Annotator:
    """Somebody who works with the app and knows nothing of its insides."""

    def __init__(self, qapp: QApplication, qtbot: QtBot) -> None:
        self._app = qapp
        self._bot = qtbot
        self._curator: Curator | None = None
        self._dialogs = Prepared()

    @property
    def window(self) -> QWidget:
        """The window, which must be open."""
        assert self._curator is not None
        return self._curator.window

    def starts(self) -> "Annotator":
        """Open the window."""
        make_application(["curator"])
        curator = self._curator = Curator(self._app)
        curator.file_actions.file_dialogs = self._dialogs
        curator.window.show()
        self._bot.waitExposed(curator.window)
        curator.window.activateWindow()
        self._bot.waitUntil(lambda: QApplication.activeWindow() is curator.window)
        return self

    def leaves(self) -> None:
        """Close the window."""
        curator, self._curator = self._curator, None
        if curator is None:
            return
        assert curator.window.close()
        assert not curator.is_stuck
        curator.window.deleteLater()
        curator.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def comes_back(self) -> None:
        """Close the window and open it again, the project with it."""
        assert self._curator is not None
        assert self._curator.session.project is not None
        name = self._curator.session.project.path.stem
        self.leaves()
        self.starts()
        self.clicks(f"Open {name}")
        self.waits_for_table()

    def tries_the_sample(self) -> None:
        """Take the third way in of the first page, and wait until the sample is there."""
        self.clicks("Try the sample")
        self.waits_until(lambda: len(self.titles()) > 100)

    def opens(self, path: Path) -> None:
        """Open a project by the dialog."""
        self._dialogs.answer = path
        self.presses("Ctrl+O")
        self.waits_for_table()

    def drops(self, *paths: Path) -> None:
        """Let files go over the window."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        take, button, none = (
            Qt.DropAction.CopyAction,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        middle = self.window.rect().center()
        self._app.sendEvent(self.window, QDragEnterEvent(middle, take, data, button, none))
        self._app.sendEvent(self.window, QDropEvent(QPointF(middle), take, data, button, none))

    def presses(self, *keys: str) -> None:
        """Press keys, one after the other, wherever the focus is."""
        for key in keys:
            pressed = QKeySequence(key)[0]
            QTest.keyClick(self._focus(), pressed.key(), pressed.keyboardModifiers())

    def types(self, text: str) -> None:
        """Type a text, wherever the cursor is."""
        QTest.keyClicks(self._focus(), text)

    def clicks(self, name: str) -> None:
        """Click a button, a chip or a link, as soon as it is there and can be clicked."""
        self.waits_until(lambda: self.can_click(name), f"{name!r} cannot be clicked")
        button = self._buttons(name)[0]
        # A check box answers on its box and words only, and may be wider than these.
        middle = button.rect().center()
        place = QPoint(min(middle.x(), 10), middle.y()) if isinstance(button, QCheckBox) else middle
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)

    def can_click(self, name: str) -> bool:
        """Whether a button of this name is there and enabled."""
        found = self._buttons(name)
        return bool(found) and found[0].isEnabled()

    def is_pressed(self, name: str) -> bool:
        """Whether a button of this name stands pressed."""
        return any(button.isChecked() for button in self._buttons(name))

    def fills(self, name: str, text: str) -> None:
        """Write into a field of a form."""
        self._focus()
        field = self._named(QLineEdit, name)
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, text)

    def choice(self, name: str) -> str:
        """Return what a box of choices shows."""
        return self._named(QComboBox, name).currentText()

    def sees(self, pattern: str) -> str:
        """Return the first visible text that a regular expression fits, empty for none."""
        texts = [label.text() for label in self._visible(QLabel)]
        texts += [chip.text for chip in self._visible(Chip)]
        for text in texts:
            found = re.search(pattern, text)
            if found:
                return found[0]
        return ""

    def waits_for(self, pattern: str) -> str:
        """Wait until a text can be seen, and return it."""
        self.waits_until(lambda: bool(self.sees(pattern)), f"{pattern!r} is nowhere to be seen")
        return self.sees(pattern)

    def waits_for_button(self, name: str) -> None:
        """Wait until a button of this name can be seen."""
        self.waits_until(lambda: bool(self._buttons(name)), f"there is no {name!r}")

    def waits_until(self, holds: Callable[[], bool], or_else: str = "") -> None:
        """Wait until something holds."""
        try:
            self._bot.waitUntil(holds, timeout=SOON_MS)
        except TooLate as error:
            raise AssertionError(or_else or str(error)) from error

    def waits_for_table(self) -> None:
        """Wait until the conversations are listed and one of them is open."""
        self.waits_until(lambda: bool(self._tables("Conversations")) and bool(self.titles()))
        self.waits_until(lambda: bool(self.messages()))

    def rows(self, table: str) -> list[list[str]]:
        """Return what stands in a visible table; nothing where there is none."""
        found = self._tables(table)
        if not found:
            return []
        inside = found[0].model()
        return [
            [str(inside.index(row, column).data() or "") for column in range(inside.columnCount())]
            for row in range(inside.rowCount())
        ]

    def titles(self) -> list[str]:
        """Return the first words of every conversation listed."""
        return [row[1] for row in self.rows("Conversations")]

    def messages(self) -> list[str]:
        """Return the texts of the conversation open in the editor."""
        fields = [each for each in self._visible(QTextEdit) if each.accessibleName() == "Text"]
        # Cards are used again, so the order in which they were made says nothing.
        fields.sort(key=lambda field: field.mapTo(self.window, QPoint(0, 0)).y())
        return [field.toPlainText() for field in fields]

    def is_typing(self) -> bool:
        """Whether what is pressed now would go into a text that may be changed."""
        focus = QApplication.focusWidget()
        return isinstance(focus, (QTextEdit, QLineEdit)) and not focus.isReadOnly()

    def searches(self, words: str, found: int) -> None:
        """Search, wait for so many conversations, and go to the first."""
        self.presses("Ctrl+F", "Ctrl+A")
        self.types(words)
        self.waits_until(lambda: len(self.titles()) == found, f"{words!r} does not find {found}")
        self.presses("Down")

    def selects(self, table: str, row: int) -> None:
        """Click a row of a table."""
        view = self._tables(table)[0]
        place = view.visualRect(view.model().index(row, 1)).center()
        QTest.mouseClick(
            view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place
        )

    def file_of(self, path: Path, conversation: int) -> str:
        """Return what a second program reads in the project file at this moment."""
        reader = Project.open(path, read_only=True)
        try:
            return reader.content(conversation)
        finally:
            reader.close()

    def _focus(self) -> QWidget:
        front = QApplication.activeModalWidget() or self.window
        if QApplication.activeWindow() is not front:
            # Without a screen nobody hands the focus on to a dialog, nor back when one closes.
            front.activateWindow()
            self._bot.waitUntil(lambda: QApplication.activeWindow() is front)
        return QApplication.focusWidget() or QApplication.activeWindow() or self.window

    def _visible(self, kind: type) -> list:
        """Return the visible widgets of a kind that a person can reach: a dialog hides the rest."""
        front = QApplication.activeModalWidget() or self.window
        return [widget for widget in front.findChildren(kind) if widget.isVisible()]

    def _buttons(self, name: str) -> list[QAbstractButton]:
        return [
            button
            for button in self._visible(QAbstractButton)
            if name in (button.text().replace("&&", "&"), button.accessibleName())
        ]

    def _named(self, kind: type, name: str) -> QWidget:
        found = [each for each in self._visible(kind) if each.accessibleName() == name]
        assert found, f"there is no field called {name!r}"
        return found[0]

    def _tables(self, name: str) -> list[QTableView]:
        return [view for view in self._visible(QTableView) if view.accessibleName() == name]
