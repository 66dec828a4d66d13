"""A message to read: role, number, tokens, the text, and tool calls; nothing here can be changed."""

from typing import Final

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QLabel, QWidget

from curator.app.counted import counted
from curator.app.theme import READ_PX, font, tokens
from curator.app.widgets.buttons import LinkButton
from curator.app.widgets.card import Card
from curator.app.widgets.chip import Chip
from curator.app.widgets.layouts import STRETCH, hbox
from curator.app.widgets.message_text import MessageText
from curator.app.widgets.text import Meta, Muted
from curator.dataset import Message
from curator.dataset.json_values import dumps

READING_PX: Final = 760
SHOWN_CHARACTERS: Final = 6_000
"""A longer text is cut here until somebody asks for the rest; Qt lays out long labels slowly."""

_ROLE_WORDS: Final = {
    "system": "System",
    "developer": "Developer",
    "user": "User",
    "assistant": "Assistant",
    "tool": "Tool",
    "function": "Function",
}


def role_word(role: str) -> str:
    """Return a role in the language of the window; an unknown one stays as it is written."""
    word = _ROLE_WORDS.get(role)
    return QCoreApplication.translate("roles", word) if word else role or "?"


class ReadingCard(Card):
    """One message of a conversation, read-only; it can show another one later."""

    def __init__(self, message: Message, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role = Chip("", "text-muted", self)
        self._number = Meta("", self)
        self._untrained = Chip(self.tr("not trained"), "text-muted", self)
        self.body.addLayout(hbox(self._role, self._number, self._untrained, STRETCH, spacing=8))
        self._text = self._make_text()
        self.body.addWidget(self._text)
        self._empty = Muted(self.tr("(empty)"), self)
        self.body.addWidget(self._empty)
        self._more = LinkButton("", self)
        self._more.clicked.connect(self._show_all)
        self.body.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        self._extras: list[QWidget] = []
        self.show_message(message, number)

    def show_message(self, message: Message, number: int) -> None:
        """Show a message in place of the one before."""
        self.message = message
        role, word = tokens().role(message.role), role_word(message.role)
        self.set_stripe(role)
        self.set_current(current=False)
        self._role.set(word, role)
        self._number.setText(str(number))
        self._untrained.setVisible(message.role == "assistant" and not message.is_trained)
        self.setAccessibleName(self.tr("Message {0}, {1}").format(number, word))
        self._text.setAccessibleName(self.accessibleName())
        text = message.text
        self._text.setVisible(bool(text))
        self._text.load(text[:SHOWN_CHARACTERS])
        self._empty.setVisible(not text and not message.tool_calls)
        rest = len(text) - SHOWN_CHARACTERS
        self._more.setVisible(rest > 0)
        self._more.setText(self.tr("Show {0}").format(counted(rest, "more character")))
        # The line height of the text leaves air below its last line already.
        self.body.setContentsMargins(16, 12, 16, 6 if text else 12)
        self._show_extras()

    def _make_text(self) -> MessageText:
        made = MessageText(self, line_height=145)
        made.setReadOnly(True)
        made.setFont(font(READ_PX))
        made.setProperty("kind", "plain")
        made.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        return made

    def _show_all(self) -> None:
        self._text.load(self.message.text)
        self._more.hide()

    def _show_extras(self) -> None:
        for widget in self._extras:
            widget.hide()
            widget.deleteLater()
        self._extras = []
        for part in self.message.parts:
            if part.get("type") != "text":
                kind = str(part.get("type", "?"))
                self._add(Chip(kind, "role-tool", self, icon_name="image"))
        for call in self.message.tool_calls:
            self._add(Chip(call.name or "?", "role-tool", self, icon_name="tool"))
            arguments = call.arguments if isinstance(call.arguments, str) else dumps(call.arguments)
            mono = QLabel(showable(arguments[:SHOWN_CHARACTERS]), self)
            mono.setTextFormat(Qt.TextFormat.PlainText)
            mono.setProperty("kind", "mono")
            mono.setWordWrap(True)
            mono.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._add(mono)

    def _add(self, widget: QWidget) -> None:
        self._extras.append(widget)
        self.body.addWidget(widget)


def showable(text: str) -> str:
    """Return a text that Qt can show: lone surrogates become the replacement character."""
    return text.encode("utf-16-le", "replace").decode("utf-16-le", "replace").replace("\0", "␀")
