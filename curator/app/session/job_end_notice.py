"""A desktop notification that something long has ended, for a person who works in another window."""

from typing import Final

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

_STAYS_MS: Final = 15_000


def notify_desktop(window: QWidget, title: str, words: str) -> QSystemTrayIcon | None:
    """Light the window up in the task bar and show a desktop notification.

    Nothing happens while somebody looks at the window. Returns the icon that carries the
    notification and goes away by itself; None where the desktop shows none.
    """
    top = window.window()
    if top.isActiveWindow():
        return None
    QApplication.alert(top)
    if not (QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()):
        return None
    icon = QSystemTrayIcon(QApplication.windowIcon(), top)
    icon.setToolTip(title)
    icon.messageClicked.connect(top.raise_)
    icon.messageClicked.connect(top.activateWindow)
    icon.show()
    icon.showMessage(title, words, QApplication.windowIcon(), _STAYS_MS)
    # No icon is left behind in the tray.
    QTimer.singleShot(_STAYS_MS, icon.deleteLater)
    return icon
