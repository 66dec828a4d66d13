"""Colours inside a text field: findings underlined, odd characters tinted, JSON told apart."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from PySide6.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from curator.app import theme
from curator.app.editor.hits import Hits
from curator.app.widgets.lossless import utf16_length
from curator.dataset.finding import Severity

Kind = Literal["text", "json"]

_ODD: Final = re.compile("[\u00a0\u00ad\u200b\u202a-\u202e\u2066-\u2069\u2060]")
"""Characters nobody sees; joiners are left out, since a format between them breaks an emoji."""

_JSON: Final = re.compile(
    r'(?P<key>"(?:\\.|[^"\\])*"(?=\s*:))|(?P<text>"(?:\\.|[^"\\])*"?)'
    r"|(?P<number>-?\d[\d.eE+-]*|\btrue\b|\bfalse\b|\bnull\b)"
)
_JSON_TONES: Final = {"key": "role-user", "text": "success", "number": "role-assistant"}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the document to underline, in UTF-16 positions."""

    start: int
    end: int
    severity: Severity


class Highlighter(QSyntaxHighlighter):
    """Underlines findings and tints stand-ins; attached only to fields that need it."""

    def __init__(self, document: QTextDocument, kind: Kind = "text") -> None:
        super().__init__(document)
        self._kind = kind
        self._spans: tuple[Span, ...] = ()
        self._stand_ins = ""
        self._cut: int | None = None
        self._odd = _ODD
        self._hits: Hits | None = None

    def mark(self, hits: Hits | None) -> None:
        """Tint what a search found; None takes that away."""
        if hits is not self._hits:
            self._hits = hits
            self.rehighlight()

    def show(self, spans: tuple[Span, ...], stand_ins: str = "") -> None:
        """Take new spans and repaint the blocks that differ."""
        if (spans, stand_ins) == (self._spans, self._stand_ins):
            return
        before, self._spans = self._spans, spans
        if stand_ins != self._stand_ins:
            self._stand_ins = stand_ins
            self._odd = re.compile(f"{_ODD.pattern[:-1]}{re.escape(stand_ins)}]")
            self.rehighlight()
            return
        document = self.document()
        blocks = {}
        for span in set(before).symmetric_difference(spans):
            block = document.findBlock(span.start)
            while block.isValid() and block.position() <= span.end:
                blocks[block.blockNumber()] = block
                block = block.next()
        for block in blocks.values():
            self.rehighlightBlock(block)

    def mute_after(self, position: int | None) -> None:
        """Grey what a base model no longer reads: everything after a position (UTF-16)."""
        if position != self._cut:
            self._cut = position
            self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        """Colour one paragraph."""
        if self._kind == "json":
            self._colour_json(text)
        if self._cut is not None:
            start = max(0, self._cut - self.currentBlock().position())
            muted = QTextCharFormat()
            muted.setForeground(theme.tokens().colour("text-off"))
            self.setFormat(start, max(0, utf16_length(text) - start), muted)
        for match in self._odd.finditer(text):
            start = utf16_length(text[: match.start()])
            self.setFormat(start, utf16_length(match[0]), _tint("warning-soft"))
        for start, end in self._hits.places(text) if self._hits is not None else ():
            place = utf16_length(text[:start])
            self.setFormat(place, utf16_length(text[start:end]), _tint("selection"))
        self._underline(text)

    def _colour_json(self, text: str) -> None:
        plain = text.isascii()
        for match in _JSON.finditer(text):
            start = match.start() if plain else utf16_length(text[: match.start()])
            length = len(match[0]) if plain else utf16_length(match[0])
            look = QTextCharFormat()
            look.setForeground(theme.tokens().colour(_JSON_TONES[match.lastgroup or "text"]))
            self.setFormat(start, length, look)

    def _underline(self, text: str) -> None:
        if not self._spans:
            return
        origin = self.currentBlock().position()
        length = utf16_length(text)
        for span in self._spans:
            start, end = max(0, span.start - origin), min(length, span.end - origin)
            for position in range(start, end):
                look = QTextCharFormat(self.format(position))
                look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
                look.setUnderlineColor(_severity_colour(span.severity))
                self.setFormat(position, 1, look)


def _severity_colour(severity: Severity) -> QColor:
    tone = {"error": "danger", "warning": "warning"}.get(severity, "accent")
    return theme.tokens().colour(tone)


def _tint(name: str) -> QTextCharFormat:
    look = QTextCharFormat()
    look.setBackground(theme.tokens().colour(name))
    return look
