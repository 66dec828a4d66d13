"""What ends with the window: the local server and what answers, unless a job trains; and that it is said."""

import sys

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QGuiApplication

from curator.app.main_window import MainWindow
from curator.dataset.errors import CuratorError


class Quitting(QObject):
    """Says that training goes on without the window, and stops the local server where it does not."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._was_asked = False
        window.may_close = self.may_close

    def may_close(self) -> bool:
        """Let the window close, unless training goes on without it and nobody was told yet."""
        if self._was_asked or _is_hurried() or not _trains_here():
            return True
        from curator.app.dialogs.confirm import Question

        title, words = (
            self.tr("Training goes on"),
            self.tr(
                "A job still trains on this computer. It goes on after the window is closed, and the "
                "server that runs it goes on with it. Open Curator again to follow it."
            ),
        )
        verb = self.tr("Close the window")
        Question(title, words, verb, self._close_all_the_same, self._window).open()
        return False

    def end_server(self) -> None:
        """Stop the local server, and what answers there, where no job needs it; say so on the terminal."""
        if not _server_was_there():
            return
        from curator.tune.local.server import service

        words = {
            "stopped": self.tr("The local server was stopped with the window."),
            "busy": self.tr("A job still trains on this computer; the local server goes on."),
            "none": "",
        }
        try:
            said = words[service.stop_where_idle()]
        except CuratorError as error:
            said = str(error)
        if said:
            sys.stderr.write(f"{said}\n")

    def _close_all_the_same(self) -> None:
        self._was_asked = True
        self._window.close()


def _trains_here() -> bool:
    """Whether a job of this computer waits for the local server or runs on it."""
    if not _server_was_there():
        return False
    from curator.tune.local.server import service

    return service.is_training()


def _is_hurried() -> bool:
    """Whether the whole session of this user ends, so that nobody can be asked."""
    app = QCoreApplication.instance()
    return isinstance(app, QGuiApplication) and app.isSavingSession()


def _server_was_there() -> bool:
    from curator.tune.local.server.announcement import announcement

    return announcement().is_file()
