"""The head of the editor: title, where the conversation stands, its tokens as number and bar."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from curator.app.counted import counted
from curator.app.editor.draft_counter import Measure
from curator.app.widgets.buttons import IconButton
from curator.app.widgets.chip import Chip
from curator.app.widgets.layouts import hbox, vbox
from curator.app.widgets.status_look import STATUS_LOOK, status_word
from curator.app.widgets.text import Elided, Meta, tip_of
from curator.app.widgets.token_meter import TokenMeter
from curator.dataset import Annotation, Conversation

_TIP_CHARACTERS = 1_000


class EditorHeader(QWidget):
    """Two lines over the cards."""

    previous_requested = Signal()
    next_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = Elided("", self)
        self._title.setProperty("kind", "section")
        self._status = Chip("", "text-muted", self)
        self._flag = Chip(self.tr("Flagged"), "warning", self, icon_name="flag")
        self._removed = Chip(self.tr("Removed"), "danger", self, icon_name="trash")
        self._tokens = Meta("", self)
        self._bar = TokenMeter(self)
        previous = IconButton("chevron-left", self.tr("Previous conversation"), self)
        following = IconButton("chevron-right", self.tr("Next conversation"), self)
        previous.clicked.connect(self.previous_requested)
        following.clicked.connect(self.next_requested)
        row = hbox(
            (self._title, 1),
            self._removed,
            self._flag,
            self._status,
            previous,
            following,
            spacing=8,
        )
        second = hbox((self._bar, 1), self._tokens, spacing=12)
        vbox(row, second, parent=self, spacing=4, margins=0)

    def show_title(self, conversation: int, draft: Conversation) -> None:
        """Show what the conversation is about and its number."""
        title = draft.title or self.tr("No user turn yet")
        self._title.setText(self.tr("{0}  ·  {1}").format(conversation, title))
        if title.endswith("…"):
            self._title.setToolTip(tip_of(draft.opening.strip()[:_TIP_CHARACTERS]))

    def show_annotation(self, annotation: Annotation) -> None:
        """Show where the conversation stands."""
        icon_name, tone, _word = STATUS_LOOK[annotation.status]
        self._status.set(status_word(annotation.status), tone, icon_name)
        self._flag.setVisible(annotation.flag)
        self._removed.setVisible(annotation.removed is not None)

    def show_measure(self, measure: Measure | None, draft: Conversation) -> None:
        """Show the tokens, honest about an estimate."""
        if measure is None:
            self._tokens.setText(self.tr("Counting…"))
            self._bar.set((), None)
            return
        count = measure.count
        words = self.tr("{0} of {1}") if count.exact else self.tr("about {0} of {1}")
        self._tokens.setText(words.format(f"{count.total:,}", counted(measure.limit, "token")))
        self._tokens.setToolTip(
            self.tr("Exact for {0}").format(measure.base_model)
            if count.exact
            else self.tr(
                "Tools, calls and pictures are an estimate; the service counts its own way"
            )
        )
        tone = "danger" if count.total > measure.limit else ""
        if self._tokens.property("tone") != tone:
            self._tokens.setProperty("tone", tone)
            self._tokens.style().polish(self._tokens)
        roles = (message.role for message in draft.messages)
        self._bar.set(tuple(zip(roles, count.per_message, strict=False)), measure.limit)
