"""Tab from a text goes into the next text: the order in which the eye meets them."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

from curator.app.shortcuts import takes_text

_NUMBER = "qt_spinbox_lineedit"


def go_to_next_text(regions: Sequence[QWidget], *, forward: bool) -> bool:
    """Go from the text with the cursor to the next one (or the one before) of these regions, and round.

    Returns False, and does nothing, where the cursor stands in no text of theirs.
    """
    there = QApplication.focusWidget()
    if there is None or not (takes_text(there) and there.isVisible() and there.isEnabled()):
        return False
    texts = [text for region in regions for text in texts_of(region)]
    places = [n for n, text in enumerate(texts) if there in (text, text.focusProxy())]
    if not places:
        return False
    following = texts[(places[0] + (1 if forward else -1)) % len(texts)]
    reason = Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason
    following.setFocus(reason)
    return True


def texts_of(region: QWidget) -> list[QWidget]:
    """Return the texts of a region that can be written in now, from the top to the bottom."""
    found: list[QWidget] = [
        field
        for kind in (QLineEdit, QTextEdit, QPlainTextEdit)
        for field in region.findChildren(kind)
        if takes_text(field)
        and field.isVisible()
        and field.isEnabled()
        and field.objectName() != _NUMBER
    ]

    def place(field: QWidget) -> tuple[int, int]:
        corner = field.mapTo(region, QPoint(0, 0))
        return corner.y(), corner.x()

    return sorted(found, key=place)
