"""The frame: rail, work area, inspector slot, status line and notices; it knows no feature."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QByteArray, QSettings, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QMainWindow,
    QStackedWidget,
    QWidget,
)

from curator.app.theme import icon
from curator.app.widgets.empty_state import IconPicture
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.rail import Rail, RailEntry
from curator.app.widgets.stack import Stack
from curator.app.widgets.status_line import StatusLine
from curator.app.widgets.text import Plain, SectionTitle
from curator.app.widgets.toast import Toaster

if TYPE_CHECKING:
    from PySide6.QtGui import (
        QCloseEvent,
        QDragEnterEvent,
        QDragLeaveEvent,
        QDropEvent,
        QKeyEvent,
        QResizeEvent,
    )

INSPECTOR_PX: Final = 320
_AGAIN_MS: Final = 50
NARROW_WINDOW_PX: Final = 1100
"""Below this width the rail folds by itself."""


class MainWindow(QMainWindow):
    """The one window: pages come and go in its middle.

    files_dropped carries the paths somebody let go over it; closing asks nobody for
    what is written, because everything is saved already; may_close can hold it for what still works,
    and about_to_close tells of it.
    """

    page_requested = Signal(str)
    fold_requested = Signal()
    text_left = Signal()
    files_dropped = Signal(object)
    about_to_close = Signal()

    def __init__(self, entries: Sequence[RailEntry]) -> None:
        super().__init__()
        self.setWindowTitle("Curator")
        self.setWindowIcon(icon("curator"))
        self.setAcceptDrops(True)
        self.setMinimumSize(880, 560)
        self.rail = Rail(entries, self)
        self.stack = Stack(self)
        self.status = StatusLine(self)
        self.toaster = Toaster(self)
        self.toaster.kept_changed.connect(self.status.show_unread)
        self.status.notices_wanted.connect(self.toaster.show_kept)
        self._banner = _Banner(self)
        self._slot = _InspectorSlot(self)
        self._drop = _DropSheet(self)
        self._wants_inspector = True
        self._chose_fold = False
        self.may_close: Callable[[], bool] = lambda: True
        self.setCentralWidget(self._arrange())
        self.rail.page_requested.connect(self.page_requested)
        self.rail.fold_requested.connect(self.fold_requested)

    def show_page(self, page_id: str, page: QWidget, inspector: QWidget | None) -> None:
        """Bring a page and its inspector to the front."""
        if self.stack.indexOf(page) < 0:
            self.stack.addWidget(page)
        self.stack.setCurrentWidget(page)
        self.rail.select(page_id)
        self._slot.show_widget(inspector)
        self._slot.setVisible(inspector is not None and self._wants_inspector)

    def discard(self, *widgets: QWidget) -> None:
        """Let pages and inspectors go for good."""
        if QApplication.activeModalWidget() is not None:
            # A dialog of the system may still be on its way back into one of them.
            QTimer.singleShot(_AGAIN_MS, partial(self.discard, *widgets))
            return
        for widget in widgets:
            holder = widget.parentWidget()
            if isinstance(holder, QStackedWidget):
                holder.removeWidget(widget)
            widget.hide()
            widget.deleteLater()

    def show_counts(self, counts: Mapping[str, int | None]) -> None:
        """Show the numbers beside the pages."""
        self.rail.show_counts(counts)

    def show_banner(self, text: str) -> None:
        """Say something above every page until it is no longer so; empty takes it away."""
        self._banner.set_message(text)

    def show_above(self, bar: QWidget) -> None:
        """Put a bar above every page; it shows and hides itself."""
        self._work.insertWidget(self._work.indexOf(self.stack), bar)

    def toggle_rail(self) -> None:
        """Fold the page list to icons, or unfold it; the person's choice then stays."""
        self._chose_fold = True
        self.rail.fold(folded=not self.rail.is_folded)

    def toggle_inspector(self) -> None:
        """Hide or show the right side."""
        self._wants_inspector = not self._wants_inspector
        self._slot.setVisible(self._wants_inspector and self._slot.holds_something)

    def keep_geometry(self) -> None:
        """Remember size, place and folds."""
        settings = QSettings()
        settings.setValue("window/geometry", self.saveGeometry())
        settings.setValue("window/rail_folded", int(self.rail.is_folded and self._chose_fold))
        settings.setValue("window/inspector", int(self._wants_inspector))

    def restore_geometry(self) -> None:
        """Come back where the window was; 1280 x 800 the first time."""
        settings = QSettings()
        stored = settings.value("window/geometry")
        if not (isinstance(stored, QByteArray) and self.restoreGeometry(stored)):
            self.resize(1280, 800)
        if str(settings.value("window/rail_folded", "0")) == "1":
            self.toggle_rail()
        self._wants_inspector = str(settings.value("window/inspector", "1")) != "0"

    def resizeEvent(self, event: "QResizeEvent") -> None:
        """Fold the page list where the window is narrow and nobody chose otherwise."""
        super().resizeEvent(event)
        if not self._chose_fold:
            self.rail.fold(folded=event.size().width() < NARROW_WINDOW_PX)
        self._drop.setGeometry(self.rect())
        self.toaster.place()

    def closeEvent(self, event: "QCloseEvent") -> None:
        """Remember the geometry and let everybody finish, where it may be closed now."""
        if not self.may_close():
            event.ignore()
            return
        self.keep_geometry()
        self.about_to_close.emit()
        super().closeEvent(event)

    def keyPressEvent(self, event: "QKeyEvent") -> None:
        """Leave a field with Esc, so that letters are keys again."""
        if event.key() == Qt.Key.Key_Escape:
            self.text_left.emit()
            return
        super().keyPressEvent(event)

    def dragEnterEvent(self, event: "QDragEnterEvent") -> None:
        """Take files, and show that they will be taken."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._drop.setGeometry(self.rect())
            self._drop.raise_()
            self._drop.show()

    def dragLeaveEvent(self, event: "QDragLeaveEvent") -> None:
        """Show that nothing will happen."""
        self._drop.hide()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: "QDropEvent") -> None:
        """Emit the files."""
        self._drop.hide()
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.files_dropped.emit(tuple(paths))

    def _arrange(self) -> QWidget:
        whole = QWidget(self)
        work = QWidget(whole)
        work.setObjectName("work")
        self._work = vbox(self._banner, (self.stack, 1), parent=work, spacing=0, margins=0)
        middle = hbox(self.rail, (work, 1), self._slot, spacing=0)
        vbox((middle, 1), self.status, parent=whole, spacing=0, margins=0)
        return whole


class _InspectorSlot(QWidget):
    """The 320 px at the right that pages fill in turn; it never owns what it shows."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("inspector")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(INSPECTOR_PX)
        self._stack = Stack(self)
        vbox(self._stack, parent=self, margins=0)
        self.holds_something = False
        self.hide()

    def show_widget(self, widget: QWidget | None) -> None:
        self.holds_something = widget is not None
        if widget is None:
            return
        if self._stack.indexOf(widget) < 0:
            self._stack.addWidget(widget)
        self._stack.setCurrentWidget(widget)


class _Banner(QFrame):
    """One line above the page, for what is true until further notice."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("kind", "banner")
        self._text = Plain("", self, wrap=True)
        hbox(
            IconPicture("lock", "warning", 16, self),
            (self._text, 1),
            parent=self,
            spacing=8,
            margins=(24, 8, 24, 8),
        )
        self.hide()

    def set_message(self, text: str) -> None:
        self._text.setText(text)
        self.setVisible(bool(text))


class _DropSheet(QFrame):
    """Covers the window while files hang over it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("kind", "drop")
        self.setProperty("over", True)  # noqa: FBT003 - Qt's own signature
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        words = SectionTitle(self.tr("Let go to open or import"), self)
        vbox(
            STRETCH,
            (IconPicture("import", "accent", 32, self), 0, Qt.AlignmentFlag.AlignHCenter),
            (words, 0, Qt.AlignmentFlag.AlignHCenter),
            STRETCH,
            parent=self,
        )
        self.hide()
