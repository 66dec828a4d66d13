"""Layouts written in one expression: rows and columns with their contents, and what makes them empty again."""

from typing import Final, TypeAlias, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLayout, QScrollArea, QVBoxLayout, QWidget

Margins: TypeAlias = int | tuple[int, int, int, int]


class Gap(int):
    """So many pixels between two items, besides the spacing."""


class Stretch(int):
    """Room that grows with the layout, by this share of all that grows."""


STRETCH: Final = Stretch(1)

Item: TypeAlias = (
    QWidget
    | QLayout
    | Gap
    | Stretch
    | tuple[QWidget | QLayout, int]
    | tuple[QWidget, int, Qt.AlignmentFlag]
)
"""A widget or layout, alone or with its stretch factor and alignment; a gap; or a stretch."""

_Box = TypeVar("_Box", bound=QBoxLayout)


def hbox(
    *items: Item,
    parent: QWidget | None = None,
    spacing: int | None = None,
    margins: Margins | None = None,
) -> QHBoxLayout:
    """Return a row of these items; what is not given stays as Qt has it."""
    return _filled(QHBoxLayout(parent) if parent else QHBoxLayout(), items, spacing, margins)


def vbox(
    *items: Item,
    parent: QWidget | None = None,
    spacing: int | None = None,
    margins: Margins | None = None,
) -> QVBoxLayout:
    """Return a column of these items; what is not given stays as Qt has it."""
    return _filled(QVBoxLayout(parent) if parent else QVBoxLayout(), items, spacing, margins)


def add_items(box: QBoxLayout, *items: Item) -> None:
    """Add items to a row or column."""
    for item in items:
        if isinstance(item, Stretch):
            box.addStretch(int(item))
        elif isinstance(item, Gap):
            box.addSpacing(int(item))
        elif isinstance(item, QLayout):
            box.addLayout(item)
        elif isinstance(item, QWidget):
            box.addWidget(item)
        elif isinstance(item[0], QLayout):
            box.addLayout(item[0], item[1])
        elif len(item) == 3:
            box.addWidget(*item)
        else:
            box.addWidget(item[0], item[1])


def clear(layout: QLayout) -> None:
    """Take everything out of a layout and delete it."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear(inner)
            inner.deleteLater()


class ScrollColumn(QScrollArea):
    """A frameless area that scrolls what is in ``inside``, never sideways; Tab passes over it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.inside = scroll_canvas(self)
        self.setWidget(self.inside)


def scroll_canvas(parent: QWidget) -> QWidget:
    """Return a widget without a ground of its own, to hold what scrolls."""
    made = QWidget(parent)
    made.setProperty("kind", "canvas")
    return made


def _filled(
    box: _Box, items: tuple[Item, ...], spacing: int | None, margins: Margins | None
) -> _Box:
    if margins is not None:
        box.setContentsMargins(*((margins,) * 4 if isinstance(margins, int) else margins))
    if spacing is not None:
        box.setSpacing(spacing)
    add_items(box, *items)
    return box
