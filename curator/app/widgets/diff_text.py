"""Words of one side of a comparison, those that differ coloured and marked."""

from html import escape
from typing import Final

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from curator.app.theme import tokens
from curator.app.widgets.reading_card import showable
from curator.curate.difference import Span

SHOWN_CHARACTERS: Final = 8_000
"""Longer turns are cut here; Qt lays out long rich texts slowly."""


class DiffText(QLabel):
    """A turn's words: gone ones struck through on red, new ones underlined on green."""

    def __init__(self, spans: tuple[Span, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spans = spans
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setProperty("kind", "reading")
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._write()

    def changeEvent(self, event: QEvent) -> None:
        """Write the colours anew where the theme changed."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_spans"):
            self._write()

    def _write(self) -> None:
        look = tokens()
        styles = {
            "gone": f"background:{look['deleted']};text-decoration:line-through",
            "new": f"background:{look['added']};text-decoration:underline",
        }
        room = SHOWN_CHARACTERS
        parts: list[str] = []
        for span in self._spans:
            words = escape(showable(span.text[:room])).replace("\n", "<br>")
            style = styles.get(span.kind)
            parts.append(f'<span style="{style}">{words}</span>' if style else words)
            room -= len(span.text)
            if room <= 0:
                parts.append(" …")
                break
        self.setText(f'<div style="white-space:pre-wrap">{"".join(parts)}</div>')
