"""Says of every setting left open what it will be, a moment after the form changed."""

from functools import partial
from typing import Final

from PySide6.QtCore import QObject

from curator.app.pages.train import background
from curator.app.pages.train.composer import Composer
from curator.app.session.session import Session
from curator.app.timers import single_shot
from curator.dataset.errors import CuratorError
from curator.tune.jobs.auto_settings import Autos
from curator.tune.jobs.recipe import Recipe

_AFTER_MS: Final = 200


class AutoValues(QObject):
    """Resolves the recipe in the background, as far as there is one, and shows what comes of it."""

    def __init__(self, composer: Composer, session: Session) -> None:
        super().__init__(composer)
        self._composer = composer
        self._session = session
        self._soon = single_shot(self, _AFTER_MS, self._look)
        composer.changed.connect(self._soon.start)

    def _look(self) -> None:
        try:
            recipe = self._composer.recipe()
        except CuratorError:
            # What is wrong with the form is said when somebody asks for more than this.
            return
        export = self._composer.export
        work = partial(background.resolve_autos, recipe, export.rows if export is not None else 0)
        job = self._session.start(self.tr("Reading the settings"), work)
        job.succeeded.connect(self._show)

    def _show(self, found: tuple[Recipe, Autos]) -> None:
        recipe, autos = found
        if (recipe.target, recipe.method) == (self._composer.target, self._composer.method()):
            self._composer.settings.show_autos(autos)
