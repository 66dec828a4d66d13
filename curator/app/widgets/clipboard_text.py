"""Texts on the clipboard, letter by letter: the system's own format loses some characters."""

from typing import Final

from PySide6.QtCore import QByteArray, QMimeData

PRIVATE_TEXT: Final = "application/x-curator-text"
"""Clipboard format that keeps what the system's text format cannot: lone surrogates and the like."""


def copied(text: str) -> QMimeData:
    """Return a text for the clipboard, for this program and, as far as they can hold it, for others."""
    mime = QMimeData()
    mime.setText(text.encode("utf-16-le", "replace").decode("utf-16-le"))
    mime.setData(PRIVATE_TEXT, QByteArray(text.encode("utf-8", "surrogatepass")))
    return mime


def has_text(source: QMimeData) -> bool:
    """Whether the clipboard holds a text."""
    return source.hasFormat(PRIVATE_TEXT) or source.hasText()


def pasted(source: QMimeData) -> str:
    """Return the text of the clipboard, its lines ended by a bare newline."""
    text = source.text()
    if source.hasFormat(PRIVATE_TEXT):
        text = bytes(source.data(PRIVATE_TEXT).data()).decode("utf-8", "surrogatepass")
    return text.replace("\r\n", "\n").replace("\r", "\n")
