"""A message to read: role, number, tokens, the text, and tool calls; nothing here can be changed."""

from typing import Final

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from curator.app.editor.message_text import MessageText
from curator.app.theme import READ_PX, font, tokens
from curator.app.widgets.buttons import LinkButton
from curator.app.widgets.card import Card
from curator.app.widgets.chip import Chip
from curator.app.widgets.text import Meta, Quiet
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
    """One message of a conversation, read-only."""

    def __init__(
        self,
        message: Message,
        number: int,
        tokens_count: int | None = None,
        parent: QWidget | None = None,
    ) -> None:
        role = tokens().role(message.role)
        super().__init__(parent, stripe=role)
        self.message = message
        # The line height of the text leaves air below its last line already.
        self.body.setContentsMargins(16, 12, 16, 6 if message.text else 12)
        word = role_word(message.role)
        self.setAccessibleName(self.tr("Message {0}, {1}").format(number, word))
        self.setAccessibleDescription(message.text[:500])
        self.body.addLayout(self._header(word, role, number, tokens_count))
        self._text: MessageText | None = None
        self._more: LinkButton | None = None
        self._show_text()
        self._show_extras()

    def _header(self, word: str, role: str, number: int, count: int | None) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(Chip(word, role, self))
        row.addWidget(Meta(str(number), self))
        if self.message.role == "assistant" and not self.message.is_trained:
            row.addWidget(Chip(self.tr("not trained"), "text-muted", self))
        row.addStretch(1)
        if count is not None:
            row.addWidget(Meta(self.tr("{0} tokens").format(f"{count:,}"), self))
        return row

    def _show_text(self) -> None:
        text = self.message.text
        if text:
            self._text = MessageText(self, line_height=145)
            self._text.setReadOnly(True)
            self._text.setFont(font(READ_PX))
            self._text.setProperty("kind", "plain")
            self._text.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            self._text.setAccessibleName(self.accessibleName())
            self._text.load(text[:SHOWN_CHARACTERS])
            self.body.addWidget(self._text)
        elif not self.message.tool_calls:
            self.body.addWidget(Quiet(self.tr("(empty)"), self))
        if len(text) > SHOWN_CHARACTERS:
            rest = f"{len(text) - SHOWN_CHARACTERS:,}"
            self._more = LinkButton(self.tr("Show the other {0} characters").format(rest), self)
            self._more.clicked.connect(self._show_all)
            self.body.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)

    def _show_all(self) -> None:
        if self._text is not None and self._more is not None:
            self._text.load(self.message.text)
            self._more.hide()

    def _show_extras(self) -> None:
        for part in self.message.parts:
            if part.get("type") != "text":
                kind = str(part.get("type", "?"))
                self.body.addWidget(Chip(kind, "role-tool", self, icon_name="image"))
        for call in self.message.tool_calls:
            box = QVBoxLayout()
            box.setSpacing(4)
            chip = Chip(call.name or "?", "role-tool", self, icon_name="tool")
            box.addWidget(chip, 0, Qt.AlignmentFlag.AlignLeft)
            arguments = call.arguments if isinstance(call.arguments, str) else dumps(call.arguments)
            mono = QLabel(showable(arguments[:SHOWN_CHARACTERS]), self)
            mono.setTextFormat(Qt.TextFormat.PlainText)
            mono.setProperty("kind", "mono")
            mono.setWordWrap(True)
            mono.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            box.addWidget(mono)
            self.body.addLayout(box)


def showable(text: str) -> str:
    """Return a text that Qt can show: lone surrogates become the replacement character."""
    return text.encode("utf-16-le", "replace").decode("utf-16-le", "replace").replace("\0", "␀")
