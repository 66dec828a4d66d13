"""Texts with marks: the place a finding is on, and what a repair changes, before and after."""

import re
from collections.abc import Sequence
from html import escape
from typing import Final

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from curator.app.pages.check.reading import Change, Marked
from curator.app.theme import MONO, tokens
from curator.app.widgets.reading_card import showable
from curator.app.widgets.text import Meta
from curator.curate.difference import Span

SHOWN_CHARACTERS: Final = 1_200
_LONG_RUN: Final = re.compile(r"\S{24,}")
_RUN_PART: Final = re.compile(r"[^,:{}\[\]]{1,23}[,:{}\[\]]?|[,:{}\[\]]")
_STYLES: Final = {
    "gone": "background:{deleted};text-decoration:line-through",
    "new": "background:{added};text-decoration:underline",
    "mark": "background:{mark};text-decoration:underline",
}


class MarkedText(QLabel):
    """Words, some of them marked; each mark has a colour and a line, never a colour alone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: list[tuple[str, str]] = []
        self._is_mono = False
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        # What could be copied from here would hold the invisible break marks.
        self.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)

    def show_parts(self, parts: Sequence[tuple[str, str]], *, mono: bool = False) -> None:
        """Show stretches of text as (kind, words); kinds are same, gone, new and mark."""
        self._parts, self._is_mono = list(parts), mono
        self._write()

    def show_spans(self, spans: Sequence[Span], *, mono: bool = False) -> None:
        """Show one side of a comparison."""
        self.show_parts([(span.kind, span.text) for span in spans], mono=mono)

    def show_marked(self, marked: Marked) -> None:
        """Show a finding's text with its place marked."""
        parts = [("same", marked.before), ("mark", marked.mark), ("same", marked.after)]
        self.show_parts(parts, mono=marked.kind == "mono")

    def changeEvent(self, event: QEvent) -> None:
        """Write the colours anew where the theme changed."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._write()

    def _write(self) -> None:
        look = tokens()
        room = SHOWN_CHARACTERS
        written: list[str] = []
        for kind, text in self._parts:
            words = escape(_breakable(showable(text[:room]))).replace("\n", "<br>")
            style = _STYLES.get(kind, "").format_map(look.colours)
            written.append(f'<span style="{style}">{words}</span>' if style else words)
            room -= len(text)
            if room <= 0:
                written.append(" …")
                break
        face = f"font-family:'{MONO}';font-size:12px;" if self._is_mono else ""
        self.setText(f'<div style="{face}white-space:pre-wrap">{"".join(written)}</div>')


def _breakable(text: str) -> str:
    """Let long runs without a space break: behind the signs of JSON, and every so often at last."""
    return _LONG_RUN.sub(lambda run: _RUN_PART.sub("\\g<0>\u200b", run[0]), text)


class ChangesView(QWidget):
    """Every part that a repair changes: before at the left, after at the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)

    def show_changes(self, changes: Sequence[Change]) -> None:
        """Show other changes."""
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        if not changes:
            return
        self._grid.addWidget(Meta(self.tr("Before"), self), 0, 0)
        self._grid.addWidget(Meta(self.tr("After"), self), 0, 1)
        for at, change in enumerate(changes):
            self._grid.addWidget(Meta(self._name(change), self), 2 * at + 1, 0, 1, 2)
            for column, spans in enumerate((change.before, change.after)):
                text = MarkedText(self)
                nothing = [("same", self.tr("(not there)"))]
                is_mono = change.part not in ("", "content", "role")
                if spans:
                    text.show_spans(spans, mono=is_mono)
                else:
                    text.show_parts(nothing)
                self._grid.addWidget(text, 2 * at + 2, column)
        self._grid.setRowStretch(2 * len(changes) + 1, 1)

    def _name(self, change: Change) -> str:
        if change.message is None:
            return self.tr("Key {0}").format(change.part)
        if not change.part:
            return self.tr("Message {0}").format(change.message + 1)
        return self.tr("Message {0}, {1}").format(change.message + 1, change.part)
