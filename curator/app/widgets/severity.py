"""How grave a finding is, as an icon with a word; never a colour alone."""

from typing import Final

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from curator.app.widgets.empty_state import IconPicture
from curator.dataset.finding import Severity

SEVERITY_LOOK: Final = {
    "error": ("error", "danger", "Error"),
    "warning": ("warning", "warning", "Warning"),
    "info": ("info", "text-muted", "Hint"),
}
"""Icon, tone and word of each severity."""


def severity_word(severity: Severity) -> str:
    """Return the word for a severity in the language of the window."""
    return QCoreApplication.translate("severity", SEVERITY_LOOK[severity][2])


class SeverityIcon(IconPicture):
    """The icon of a severity, its word as name and tip."""

    def __init__(self, severity: Severity, parent: QWidget | None = None, size: int = 16) -> None:
        name, tone, _word = SEVERITY_LOOK[severity]
        super().__init__(name, tone, size, parent)
        self.show_severity(severity)

    def show_severity(self, severity: Severity) -> None:
        """Show another severity."""
        name, tone, _word = SEVERITY_LOOK[severity]
        self.set(name, tone)
        self.setAccessibleName(severity_word(severity))
        self.setToolTip(severity_word(severity))
