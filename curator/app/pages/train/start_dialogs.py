"""The two small windows of the page: the one question before a start, and the call as code."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QPlainTextEdit,
    QTabWidget,
    QWidget,
)

from curator.app.counted import counted
from curator.app.dialogs.confirm import Question
from curator.app.pages.train.plan_card import money
from curator.app.widgets.buttons import PlainButton, PrimaryButton
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.layouts import STRETCH, hbox
from curator.app.widgets.text import Muted, PageTitle
from curator.tune.jobs.dry_run import DryRun
from curator.tune.jobs.recipe import Recipe
from curator.tune.jobs.shown_calls import curl_call, python_call, verb_call


class StartDialog(Question):
    """Asks once, with what leaves this computer, where it goes and what it costs."""

    def __init__(
        self, base: str, plan: DryRun, go: Callable[[], object], parent: QWidget | None = None
    ) -> None:
        tr = partial(QCoreApplication.translate, "StartDialog")
        goes = counted(plan.rows, "row goes", "rows go")
        words = tr("{0} to {1}, which trains {2} on them for {3}.").format(
            goes, plan.host, base, counted(plan.epochs, "epoch")
        )
        sentences = (words, _cost(plan), *plan.warnings)
        title, verb = tr("Start this job?"), tr("Start training")
        super().__init__(title, sentences, verb, go, parent, no=tr("Not yet"))


class CallDialog(Dialog):
    """The exact call of a start, to copy into a script."""

    def __init__(
        self,
        recipe: Recipe,
        *,
        has_validation: bool,
        folder: Path = Path(),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("The call"))
        self.fit(720, 520)
        words = self.tr("The key stands in the environment variable {0}, never in the script.")
        if recipe.target.protocol == "local":
            words = self.tr("No key is needed: the server of this computer keeps its own.")
        self._tabs = QTabWidget(self)
        python = python_call(recipe, has_validation=has_validation, folder=folder)
        texts = {"Python": python}
        if recipe.target.protocol != "local":
            texts["curl"] = curl_call(recipe, has_validation=has_validation, folder=folder)
        if line := verb_call(recipe, folder):
            texts[self.tr("Terminal")] = line
        for name, text in texts.items():
            page = QPlainTextEdit(text, self._tabs)
            page.setProperty("kind", "mono")
            page.setReadOnly(True)
            page.setAccessibleName(name)
            page.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
            self._tabs.addTab(page, name)
        copy = PlainButton(self.tr("Copy"), self, icon_name="copy")
        copy.clicked.connect(self._copy)
        close = PrimaryButton(self.tr("Close"), self)
        close.clicked.connect(self.accept)
        row = hbox(copy, STRETCH, close)
        self.add(
            PageTitle(self.tr("The same start in a script"), self),
            Muted(words.format(recipe.target.key_env), self, wrap=True),
            (self._tabs, 1),
            row,
        )

    def _copy(self) -> None:
        page = self._tabs.currentWidget()
        if isinstance(page, QPlainTextEdit):
            QGuiApplication.clipboard().setText(page.toPlainText())


def _cost(plan: DryRun) -> str:
    if plan.cost is None:
        return QCoreApplication.translate(
            "StartDialog", "What it costs is not known here; see the service's price page."
        )
    if not plan.cost.amount:
        return QCoreApplication.translate("StartDialog", "It costs nothing.")
    words = QCoreApplication.translate("StartDialog", "It costs about {0} at the prices of {1}.")
    return words.format(money(plan.cost.amount, plan.cost.currency), plan.cost.as_of.isoformat())
