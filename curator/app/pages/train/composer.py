"""The form of a new job: what to train on, from which base model, and with which settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from curator.app.counted import counted
from curator.app.pages.train.recipe_row import RecipeRow
from curator.app.pages.train.settings_card import SettingsCard
from curator.app.widgets.buttons import FlatButton, LinkButton, PlainButton
from curator.app.widgets.card import Card
from curator.app.widgets.layouts import STRETCH, ScrollColumn, hbox
from curator.app.widgets.setting_fields import ComboBox, let_shrink
from curator.app.widgets.text import Elided, Meta, Muted, SectionTitle
from curator.dataset.errors import WrongUse
from curator.tune.jobs.lifetimes import days_of
from curator.tune.jobs.recipe import Recipe, make_recipe
from curator.tune.services.port import Model
from curator.tune.targets.profiles import Method, Target

_WIDE_PX: Final = 736


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """The export to train on: its folder and its rows, as far as they are known.

    snapshot is the hash of its training file; is_last says that it is the project's last one,
    is_old that the project was changed after it.
    """

    folder: Path
    rows: int
    validation_rows: int
    snapshot: str = ""
    is_last: bool = False
    is_old: bool = False


class Composer(ScrollColumn):
    """Makes recipes: what to train on, from which base, and the settings folded beneath.

    changed tells that a dry run no longer fits what is typed. The card that starts stands beside the
    form where there is room, else after the base.
    """

    changed = Signal()
    folder_requested = Signal()
    export_requested = Signal()
    base_folder_requested = Signal()
    base_file_requested = Signal()
    base_hub_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._target: Target | None = None
        self._export: ExportChoice | None = None
        self._days: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._across = hbox(parent=self.inside, spacing=0, margins=(0, 0, 8, 0))
        self._form, self._side = QVBoxLayout(), QVBoxLayout()
        for column, share in ((self._form, 6), (self._side, 0)):
            column.setSpacing(12)
            self._across.addLayout(column, share)
        self._beside: QWidget | None = None
        self._is_wide = False
        self.recipes = RecipeRow(self)
        self._form.addWidget(self._data_card())
        self._form.addWidget(self._base_card())
        self.settings = SettingsCard(self)
        self.settings.add_above(self.recipes)
        self.settings.changed.connect(self.changed)
        self.settings.change.clicked.connect(self._scroll_to_settings)
        self._form.addWidget(self.settings)
        self._form.addStretch(1)
        self._side.addStretch(1)
        self._show_export_facts()

    def set_beside(self, card: QWidget) -> None:
        """Take the card that starts."""
        self._beside = card
        card.setParent(self.inside)
        self._place(wide=self._is_wide)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the card that starts beside the form where there is room."""
        super().resizeEvent(event)
        wide = self.viewport().width() >= _WIDE_PX
        if wide != self._is_wide:
            self._place(wide=wide)

    def _scroll_to_settings(self, shown: bool) -> None:  # noqa: FBT001 - a Qt slot
        """Bring what unfolds into sight: in a low window it would open beneath the edge."""
        if shown:
            # Its place is known once the layout was made anew.
            QTimer.singleShot(0, self._bring_settings)

    def _bring_settings(self) -> None:
        card = self.settings
        hidden = (
            card.geometry().bottom() - self.verticalScrollBar().value() - self.viewport().height()
        )
        if hidden > 0:
            bar = self.verticalScrollBar()
            bar.setValue(min(card.y(), bar.value() + hidden))

    def _place(self, *, wide: bool) -> None:
        self._is_wide = wide
        if self._beside is None:
            return
        for column in (self._form, self._side):
            column.removeWidget(self._beside)
        self._across.setStretch(1, 5 if wide else 0)
        self._across.setSpacing(16 if wide else 0)
        if wide:
            self._side.insertWidget(0, self._beside)
        else:
            self._form.insertWidget(self._form.indexOf(self.settings), self._beside)

    def show_target(self, target: Target) -> None:
        """Offer what a target takes."""
        if self._target is not None and self._target == target:
            return
        self._target = target
        self._method.blockSignals(True)  # noqa: FBT003 - Qt's own signature
        self._method.clear()
        for method in target.methods:
            self._method.addItem(self._method_words(method), method)
        self._method.blockSignals(False)  # noqa: FBT003 - Qt's own signature
        self._method_row.setVisible(len(target.methods) > 1 or target.methods[0] != "sft")
        self._offer_bases([Model(name, "") for name in target.bases], keeps=False)
        self._build_settings()
        self._own.setVisible(target.protocol == "local")
        self._note.setText(target.note)
        self._note.setVisible(bool(target.note))
        self.changed.emit()

    def offer_served(self, served: Sequence[Model]) -> None:
        """Add what the server itself named; the profile's own stay on top."""
        known = set(self._target.bases) if self._target else set()
        self._days = {base.name: base.shutdown for base in served}
        mine = [Model(name, self._days.get(name, "")) for name in sorted(known, reverse=True)]
        new = (base for base in served if base.name not in known)
        self._offer_bases([*mine, *new], keeps=True)

    def show_export(self, export: ExportChoice | None) -> None:
        """Show which export is trained on; the same one again changes nothing."""
        if export == self._export:
            return
        self._export = export
        self._show_export_facts()
        self.changed.emit()

    def _show_export_facts(self) -> None:
        export = self._export
        if export is None:
            self._folder.setText(self.tr("No export yet"))
            self._rows.setText(self.tr("Export the project first, or choose the folder of one."))
        else:
            self._folder.setText(str(export.folder))
            words = self.tr("{0} to train on, {1} to validate with")
            rows = words.format(counted(export.rows, "row"), f"{export.validation_rows:,}")
            note = self.tr("The project was changed after this export.") if export.is_old else ""
            self._rows.setText("\n".join(filter(None, (rows, note))))

    @property
    def export(self) -> ExportChoice | None:
        """The export to train on."""
        return self._export

    def recipe(self) -> Recipe:
        """Return the checked recipe; raises WrongUse with the sentence to show."""
        if self._target is None:
            raise WrongUse(self.tr("Choose a target first."))
        return make_recipe(
            self._target,
            self._base_id(),
            method=self.method(),
            **self.settings.choices(),
        )

    def fill(self, recipe: Recipe) -> None:
        """Type what a recipe says; its target is shown already."""
        self._method.setCurrentIndex(max(0, self._method.findData(recipe.method)))
        self.choose_base(recipe.base)
        self.settings.fill(recipe)

    @property
    def target(self) -> Target | None:
        """The target whose settings are shown."""
        return self._target

    def method(self) -> Method:
        """Return the method chosen."""
        chosen: Method = self._method.currentData() or "sft"
        return chosen

    def set_message(self, fault: str) -> None:
        """Show what is wrong with what is typed; empty takes it away."""
        self.settings.set_message(fault)

    def choose_base(self, name: str) -> None:
        """Take a base by its name or id, whether it is offered or not."""
        self._base.setCurrentText(self._names.get(name, name))

    def name_checkpoints(self, names: Mapping[str, str]) -> None:
        """Take what checkpoints are called, by id; the list of bases shows these names."""
        self._names = dict(names)

    @property
    def base_words(self) -> str:
        """What the chosen base is called."""
        return self._base.currentText().strip()

    def _base_id(self) -> str:
        """Return the id of the chosen base; a name that was typed is one."""
        place = self._base.findText(self.base_words)
        return str(self._base.itemData(place) or "") if place >= 0 else self.base_words

    def _data_card(self) -> Card:
        card = Card(self)
        card.body.addWidget(SectionTitle(self.tr("Train on"), card))
        self._folder = Elided(self.tr("No export yet"), card)
        self._rows = Meta("", card, wrap=True)
        card.body.addWidget(self._folder)
        card.body.addWidget(self._rows)
        choose = PlainButton(self.tr("Choose a folder"), card, icon_name="folder")
        choose.clicked.connect(self.folder_requested)
        export = LinkButton(self.tr("Export now"), card)
        export.clicked.connect(self.export_requested)
        card.body.addLayout(hbox(choose, export, STRETCH, spacing=8))
        return card

    def _base_card(self) -> Card:
        card = Card(self)
        card.body.addWidget(SectionTitle(self.tr("Base model"), card))
        self._base = ComboBox(card)
        self._base.setEditable(True)
        self._base.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._base.setAccessibleName(self.tr("Base model"))
        let_shrink(self._base)
        self._base.currentTextChanged.connect(self._base_changed)
        self._end = Meta("", card, wrap=True)
        self._own = FlatButton(self.tr("Add your own"), card, icon_name="plus")
        self._own.setToolTip(self.tr("A base model that is not in the list"))
        menu = QMenu(self._own)
        for words, signal in (
            (self.tr("A folder with a Hugging Face model…"), self.base_folder_requested),
            (self.tr("A GGUF file…"), self.base_file_requested),
            (self.tr("By its name on the Hugging Face hub…"), self.base_hub_requested),
        ):
            menu.addAction(words).triggered.connect(signal)
        self._own.setMenu(menu)
        self._own.hide()
        card.body.addLayout(hbox((self._base, 1), self._own, spacing=4))
        card.body.addWidget(self._end)
        self._method_row = QWidget(card)
        self._method = ComboBox(self._method_row)
        self._method.setAccessibleName(self.tr("Method"))
        let_shrink(self._method)
        self._method.currentIndexChanged.connect(self._build_settings)
        hbox(
            Muted(self.tr("Method"), self._method_row),
            (self._method, 1),
            parent=self._method_row,
            margins=(0, 4, 0, 0),
        )
        card.body.addWidget(self._method_row)
        self._note = Meta("", card, wrap=True)
        card.body.addWidget(self._note)
        return card

    def _build_settings(self) -> None:
        if self._target is not None:
            self.settings.offer(self._target, self.method())

    def _offer_bases(self, bases: Sequence[Model], *, keeps: bool) -> None:
        names = [self._names.get(base.name, base.name) for base in bases]
        first = names[0] if names else ""
        # What the server names later takes nobody's own choice away.
        now = self._base.currentText()
        chosen = now if keeps or now in names else ""
        ids = [base.name for base in bases]
        self._base.offer(zip(names, ids, strict=True), chosen or first)
        line = self._base.lineEdit()
        if line is not None:
            line.setPlaceholderText(self.tr("the name as the service writes it"))
        self._base_changed()

    def _base_changed(self) -> None:
        name = self._base_id()
        words = self._end_words(name) if name and self._target else ""
        self._end.setText(words)
        self._end.setVisible(bool(words))
        self.changed.emit()

    def _end_words(self, name: str) -> str:
        if self._target is None:
            return ""
        days = days_of(self._target, name)
        served: date | str = self._days.get(name, "") or (days.serve if days and days.serve else "")
        if not served:
            return ""
        if days is None or days.create is None:
            return self.tr("Answers until {0}.").format(served)
        kept = self._target.lifetime_of(name)
        if kept is not None and kept.retires is not None:
            words = self.tr(
                "Retired {0} for accounts that never trained it; takes jobs until {1}; answers "
                "until {2}."
            )
            return words.format(kept.retires, days.create, served)
        words = self.tr("Takes new jobs until {0}; answers until {1}.")
        return words.format(days.create, served)

    def _method_words(self, method: Method) -> str:
        return {
            "sft": self.tr("Supervised: learn to answer as shown"),
            "dpo": self.tr("Preference: learn the better of two answers"),
            "rft": self.tr("Reinforcement: learn from a grader"),
        }[method]
