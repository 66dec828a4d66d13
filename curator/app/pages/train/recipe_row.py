"""Recipes kept under a name: choose one to fill the form, or keep what is typed."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QInputDialog, QMenu, QWidget

from curator.app.widgets.buttons import FlatButton
from curator.app.widgets.layouts import STRETCH, hbox


class RecipeRow(QWidget):
    """Two menus; chosen and removed carry a name, keep_requested the name to keep what is typed under."""

    chosen = Signal(str)
    removed = Signal(str)
    keep_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._open = FlatButton(self.tr("Recipes"), self, icon_name="book")
        self._open.setToolTip(self.tr("Fill the form with choices kept earlier"))
        self._menu = QMenu(self._open)
        self._open.setMenu(self._menu)
        self._keep = FlatButton(self.tr("Keep as recipe…"), self)
        self._keep.setToolTip(self.tr("Keep these choices under a name, to use them again"))
        self._keep.clicked.connect(self._ask_name)
        hbox(self._open, self._keep, STRETCH, parent=self, spacing=4, margins=0)
        self.show_names(())

    def show_names(self, names: Sequence[str]) -> None:
        """Offer the recipes there are."""
        self._menu.clear()
        for name in names:
            self._menu.addAction(name).triggered.connect(partial(self.chosen.emit, name))
        if names:
            self._menu.addSeparator()
            forget = self._menu.addMenu(self.tr("Remove"))
            for name in names:
                forget.addAction(name).triggered.connect(partial(self.removed.emit, name))
        self._open.setEnabled(bool(names))

    def _ask_name(self) -> None:
        dialog = QInputDialog(self)
        dialog.setWindowTitle(self.tr("Keep as recipe"))
        dialog.setLabelText(self.tr("Name of the recipe"))
        dialog.setOkButtonText(self.tr("Keep"))
        dialog.textValueSelected.connect(self._named)
        dialog.open()

    def _named(self, name: str) -> None:
        if name.strip():
            self.keep_requested.emit(name.strip())
