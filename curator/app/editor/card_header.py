"""The head of a message card: who speaks, which turn, how many tokens, whether it is trained on."""

from PySide6.QtCore import QCoreApplication, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QMenu, QSizePolicy, QWidget

from curator.app.counted import counted
from curator.app.editor.drag_handle import DragHandle
from curator.app.editor.name_field import NameField
from curator.app.theme import META_PX, font, paint_icon, tokens
from curator.app.widgets.buttons import IconButton, LinkButton, allow
from curator.app.widgets.chip import paint_chip
from curator.app.widgets.layouts import STRETCH, hbox
from curator.app.widgets.reading_card import role_word
from curator.app.widgets.text import Meta
from curator.dataset.conversation import ROLES
from curator.dataset.json_values import Json

_KEYS = {
    "system": "&System",
    "developer": "&Developer",
    "user": "&User",
    "assistant": "&Assistant",
    "tool": "&Tool",
    "function": "&Function",
}


def role_menu(parent: QWidget) -> QMenu:
    """Return a menu of roles; each entry's data is its role, its underlined letter its key."""
    menu = QMenu(parent)
    for role in ROLES:
        entry = menu.addAction(QCoreApplication.translate("roles", _KEYS[role]))
        entry.setData(role)
    return menu


class RoleButton(QAbstractButton):
    """The role of a message as a chip; pressing it offers the others."""

    role_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role = ""
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setToolTip(self.tr("Change who says this (Ctrl+R)"))
        self.clicked.connect(self.choose)

    def show_role(self, role: str) -> None:
        """Show a role."""
        self._role = role
        self.setAccessibleName(self.tr("Role: {0}").format(role_word(role)))
        self.updateGeometry()
        self.update()

    def choose(self) -> None:
        """Open the menu of roles under the chip."""
        menu = role_menu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for entry in menu.actions():
            entry.setCheckable(True)
            entry.setChecked(entry.data() == self._role)
        menu.triggered.connect(self._chosen)
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def sizeHint(self) -> QSize:
        """Return the room of the word and the arrow."""
        width = QFontMetrics(font(META_PX)).horizontalAdvance(role_word(self._role))
        return QSize(width + 32, 20)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open the menu on Return too."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.choose()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the chip, its arrow, and the focus ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        look = tokens()
        tone = look.role(self._role)
        paint_chip(painter, QRectF(self.rect()), role_word(self._role), tone)
        arrow = QRectF(self.width() - 17, 5, 10, 10)
        paint_icon(painter, "chevron-down", arrow, tone)
        if self.hasFocus():
            painter.setPen(look.colour("focus"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def _chosen(self, entry: object) -> None:
        role = entry.data()  # type: ignore[attr-defined]
        if role != self._role:
            self.role_chosen.emit(role)


class CardHeader(QWidget):
    """One row over a message."""

    role_chosen = Signal(str)
    name_typed = Signal(str)
    name_left = Signal()
    weight_toggled = Signal()
    menu_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.role = RoleButton(self)
        self._number = Meta("", self)
        self._name = NameField(self.tr("name"), self)
        self._name.setMaximumWidth(160)
        self._name.hide()
        self._tokens = Meta("", self)
        self._weight = LinkButton("", self)
        self._weight.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._weight.setFont(font(META_PX))
        self._weight.hide()
        self.drag_handle = DragHandle(self)
        self.more = IconButton("more", self.tr("More for this message"), self)
        hbox(
            self.role,
            self._number,
            self._name,
            STRETCH,
            self._weight,
            self._tokens,
            self.drag_handle,
            self.more,
            parent=self,
            spacing=8,
            margins=0,
        )
        self.role.role_chosen.connect(self.role_chosen)
        self._name.typed.connect(self.name_typed)
        self._name.left.connect(self.name_left)
        self._weight.clicked.connect(self.weight_toggled)
        self.more.clicked.connect(self.menu_requested)

    def show_number(self, number: int) -> None:
        """Show which turn this is, counted from 1."""
        self._number.setText(str(number))

    def show_tokens(self, count: int | None, *, trained: bool) -> None:
        """Show the tokens of the message; None: not counted yet."""
        self._tokens.setText("" if count is None else counted(count, "token"))
        self._tokens.setToolTip(
            self.tr("The answer learns from these.") if trained else self.tr("Read, not learned.")
        )

    def show_name(self, name: Json, *, shown: bool) -> None:
        """Show the name of the speaker, where there is one or somebody wants to give one."""
        self._name.show_value(name)
        self._name.setVisible(shown)

    def show_weight(self, weight: Json, *, assistant: bool) -> None:
        """Show whether an answer is trained on; other roles never are."""
        masked = weight == 0 and weight is not False
        odd = weight is not None and (isinstance(weight, bool) or weight not in (0, 1))
        self._weight.setVisible(assistant or weight is not None)
        words = self.tr("Not trained") if masked else self.tr("Trained")
        self._weight.setText(self.tr("Weight {0}").format(weight) if odd else words)
        self._weight.setAccessibleName(self._weight.text())
        self._weight.setToolTip(self.tr("Switch between trained and not trained (Ctrl+T)"))

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the header be changed, or only be read."""
        allow(self.role, allowed=not read_only)
        self._name.set_read_only(read_only=read_only)
        allow(self._weight, allowed=not read_only)
        self.more.setVisible(not read_only)
        self.drag_handle.setVisible(not read_only)

    def focus_name(self) -> None:
        """Show the name field and put the cursor into it."""
        self._name.show()
        self._name.setFocus()
