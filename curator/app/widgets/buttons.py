"""Buttons: one loud, the others calm, each with a name for screen readers."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QPushButton,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QToolButton,
    QWidget,
)

from curator.app.actions import Action
from curator.app.theme import META_PX, font, icon, tokens

ICON_SIZE = QSize(20, 16)
"""16 px of icon and 4 px of air before the text."""


class _Button(QPushButton):
    """A push button of one kind the stylesheet knows; it is as wide as its text, no wider."""

    kind = ""

    def __init__(
        self, text: str = "", parent: QWidget | None = None, *, icon_name: str = ""
    ) -> None:
        super().__init__(text, parent)
        self.setProperty("kind", self.kind)
        self.setIconSize(ICON_SIZE)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        if icon_name:
            self.setIcon(icon(icon_name, "accent-text" if self.kind == "primary" else "text"))
        self.setAccessibleName(text)


class PlainButton(_Button):
    """A button with an outline."""


class PrimaryButton(_Button):
    """The one button of a page that most people want next."""

    kind = "primary"


class QuietButton(_Button):
    """A button without an outline until it is pointed at."""

    kind = "quiet"


class DangerButton(_Button):
    """A button whose press loses something."""

    kind = "danger"


class LinkButton(_Button):
    """A button that looks like a link."""

    kind = "link"


class ChipButton(_Button):
    """A round filter button that stays pressed."""

    kind = "chip"

    def __init__(
        self, text: str = "", parent: QWidget | None = None, *, checkable: bool = True
    ) -> None:
        super().__init__(text, parent)
        self.setCheckable(checkable)


class IconButton(QToolButton):
    """A square button with only an icon; its name is read aloud and shown as the tip."""

    def __init__(
        self, icon_name: str, name: str, parent: QWidget | None = None, *, size: int = 16
    ) -> None:
        super().__init__(parent)
        self.setIcon(icon(icon_name, "text-muted"))
        self.setIconSize(QSize(size, size))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(name)
        self.setToolTip(name)


class ActionButton(_Button):
    """A button made from an Action; it asks for the action by id and shows its key in the tip."""

    action_requested = Signal(str)

    def __init__(
        self, action: Action, *, primary: bool = False, parent: QWidget | None = None
    ) -> None:
        self.kind = "primary" if primary else ""
        super().__init__(action.label(), parent, icon_name=action.icon)
        self.action_id = action.id
        self.setToolTip(action.hint())
        self.setAccessibleDescription(action.hint())
        self.clicked.connect(self._ask)

    def _ask(self) -> None:
        self.action_requested.emit(self.action_id)


class KeyButton(_Button):
    """A button with its key printed at the right; a mouse click leaves the keyboard where it was."""

    def __init__(
        self, text: str, key: str, parent: QWidget | None = None, *, icon_name: str = ""
    ) -> None:
        super().__init__(text, parent, icon_name=icon_name)
        self.key = key
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleDescription(self.tr("Key {0}").format(key) if key else "")

    def sizeHint(self) -> QSize:
        """Leave room for the key."""
        size = super().sizeHint()
        return QSize(size.width() + (self._key_width() + 6 if self.key else 0), size.height())

    def minimumSizeHint(self) -> QSize:
        """Never hide the key."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the button, its text moved left to make room for the key."""
        if not self.key:
            super().paintEvent(event)
            return
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
        option.rect = option.rect.adjusted(0, 0, -(self._key_width() + 4), 0)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonLabel, option)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(META_PX))
        look = tokens()
        width = self._key_width()
        box = self.rect().adjusted(self.width() - width - 8, 0, -8, 0)
        box.setTop((self.height() - 16) // 2)
        box.setHeight(16)
        painter.setPen(look.colour("hairline"))
        painter.setBrush(look.colour("background"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor(look["text-muted" if self.isEnabled() else "text-off"]))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), self.key)

    def _key_width(self) -> int:
        return max(16, self.fontMetrics().horizontalAdvance(self.key) + 6)


def retint(button: QPushButton | QToolButton, icon_name: str, tone: str) -> None:
    """Give a button another icon or colour."""
    button.setIcon(icon(icon_name, tone) if icon_name else QIcon())
