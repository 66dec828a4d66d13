"""Texts of which stretches are marked: each mark has a colour and a line, never a colour alone."""

import re
from collections.abc import Sequence
from html import escape
from typing import Final

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from curator.app.theme import MONO, tokens
from curator.app.widgets.reading_card import showable
from curator.curate.difference import Span

_LONG_RUN: Final = re.compile(r"\S{24,}")
_RUN_PART: Final = re.compile(r"[^,:{}\[\]]{1,23}[,:{}\[\]]?|[,:{}\[\]]")
_STYLES: Final = {
    "gone": "background:{deleted};text-decoration:line-through",
    "new": "background:{added};text-decoration:underline",
    "mark": "background:{mark};text-decoration:underline",
}


class MarkedText(QLabel):
    """Words, some of them marked: gone ones struck through, new ones and places underlined."""

    SHOWN_CHARACTERS = 1_200
    """Longer texts are cut here; Qt lays out long rich texts slowly."""

    is_breakable = True
    """Whether long runs without a space may break; what is copied from such a text is not exact."""

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

    def changeEvent(self, event: QEvent) -> None:
        """Write the colours anew where the theme changed."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._write()

    def _write(self) -> None:
        look = tokens()
        left = self.SHOWN_CHARACTERS
        written: list[str] = []
        for kind, text in self._parts:
            shown = showable(text[:left])
            words = escape(_breakable(shown) if self.is_breakable else shown)
            style = _STYLES.get(kind, "").format_map(look.colours)
            words = words.replace("\n", "<br>")
            written.append(f'<span style="{style}">{words}</span>' if style else words)
            left -= len(text)
            if left <= 0:
                written.append(" …")
                break
        face = f"font-family:'{MONO}';font-size:12px;" if self._is_mono else ""
        self.setText(f'<div style="{face}white-space:pre-wrap">{"".join(written)}</div>')


class DiffText(MarkedText):
    """One side of a compared turn, to be read and copied."""

    SHOWN_CHARACTERS = 8_000
    is_breakable = False

    def __init__(self, spans: tuple[Span, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "reading")
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.show_spans(spans)


def _breakable(text: str) -> str:
    """Let long runs without a space break: behind the signs of JSON, and every so often at last."""
    return _LONG_RUN.sub(lambda run: _RUN_PART.sub("\\g<0>\u200b", run[0]), text)
