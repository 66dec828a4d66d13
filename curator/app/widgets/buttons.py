"""Buttons: one loud, the others calm, each with a name for screen readers."""

from PySide6.QtCore import QCoreApplication, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget

from curator.app.actions import Action
from curator.app.theme import icon

ICON_SIZE = QSize(20, 16)
"""16 px of icon and 4 px of air before the text."""


class Button(QPushButton):
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
        # A click leaves the keyboard where the work is; Tab reaches the button all the same.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if icon_name:
            self.setIcon(icon(icon_name, "accent-text" if self.kind == "primary" else "text"))
        self.setAccessibleName(text)

    def setText(self, text: str) -> None:  # noqa: N802 - Qt's name
        """Show another text; a name that was the text follows it."""
        if self.accessibleName() == self.text():
            self.setAccessibleName(text)
        super().setText(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Be pressed by Enter too: a dialog would give that key to another button."""
        if not press_on_enter(self, event):
            super().keyPressEvent(event)


class PlainButton(Button):
    """A button with an outline."""


class PrimaryButton(Button):
    """The one button of a page that most people want next."""

    kind = "primary"


class FlatButton(Button):
    """A button without an outline until it is pointed at."""

    kind = "flat"


class DangerButton(Button):
    """A button whose press loses something."""

    kind = "danger"


class LinkButton(Button):
    """A button that looks like a link."""

    kind = "link"


class ChipButton(Button):
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

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Be pressed by Enter too."""
        if not press_on_enter(self, event):
            super().keyPressEvent(event)


class ActionButton(Button):
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

    def explain(self, reason: str) -> None:
        """Add to the tip why the action cannot be done now; empty takes that back."""
        explain(self, reason)
        if self.accessibleDescription() != self.toolTip():
            self.setAccessibleDescription(self.toolTip())

    def _ask(self) -> None:
        self.action_requested.emit(self.action_id)


def explain(widget: QWidget, reason: str) -> None:
    """Add to the tip of a widget why it cannot be used now; empty takes that back."""
    before = str(widget.property("reason") or "")
    hint = widget.toolTip().removesuffix(before).rstrip("\n")
    widget.setToolTip("\n".join(filter(None, (hint, reason))))
    widget.setProperty("reason", reason)


def allow(widget: QWidget, *, allowed: bool, reason: str = "") -> None:
    """Let a widget be used, or grey it out and say why in its tip: without a reason, that one may only look."""
    widget.setEnabled(allowed)
    explain(widget, "" if allowed else reason or looking_only())


def looking_only() -> str:
    """Return why nothing can be changed in a project that somebody else holds."""
    words = "This project is open for looking only."
    return QCoreApplication.translate("actions", words)


def press_on_enter(button: QPushButton | QToolButton, event: QKeyEvent) -> bool:
    """Press a button that has the focus where the key is Enter; returns whether it was."""
    is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat()
    if is_enter and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
        button.click()
        return True
    return False
