"""How a conversation's status is shown everywhere: icon, tone and word."""

from typing import Final

from PySide6.QtCore import QCoreApplication

from curator.dataset import Status

STATUS_LOOK: Final = {
    Status.PENDING: ("clock", "text-muted", "Pending"),
    Status.ACCEPTED: ("check", "success", "Accepted"),
    Status.REJECTED: ("cross", "danger", "Rejected"),
    Status.SKIPPED: ("skip", "warning", "Skipped"),
}
"""Icon, tone and word of each status, in the order of its codes."""


def status_word(status: Status) -> str:
    """Return the word for a status in the language of the window."""
    return QCoreApplication.translate("status", STATUS_LOOK[status][2])
