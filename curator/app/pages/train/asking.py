"""The two small windows of the page: the one question before a start, and the call as code."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPlainTextEdit,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from curator.app.counted import counted
from curator.app.pages.train.plan_card import money
from curator.app.widgets.buttons import PlainButton, PrimaryButton, QuietButton
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.text import PageTitle, Plain, Quiet
from curator.tune.jobs.dry_run import DryRun
from curator.tune.jobs.recipe import Recipe
from curator.tune.jobs.shown_calls import curl_call, python_call, verb_call


class StartQuestion(Dialog):
    """Asks once, with what leaves this computer, where it goes and what it costs."""

    confirmed = Signal()

    def __init__(self, base: str, plan: DryRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Start training"))
        self.setMinimumWidth(480)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        column.addWidget(PageTitle(self.tr("Start this job?"), self))
        words = self.tr("{0} to {1}, which trains {2} on them for {3}.")
        column.addWidget(
            Plain(
                words.format(
                    counted(plan.rows, "row goes", "rows go"),
                    plan.host,
                    base,
                    counted(plan.epochs, "epoch"),
                ),
                self,
                wrap=True,
            )
        )
        column.addWidget(Plain(self._cost(plan), self, wrap=True))
        for text in plan.warnings:
            column.addWidget(Quiet(text, self, wrap=True))
        row = QHBoxLayout()
        row.addStretch(1)
        cancel = QuietButton(self.tr("Not yet"), self)
        cancel.clicked.connect(self.reject)
        start = PrimaryButton(self.tr("Start training"), self)
        start.clicked.connect(self._confirm)
        row.addWidget(cancel)
        row.addWidget(start)
        column.addLayout(row)
        cancel.setFocus()

    def _cost(self, plan: DryRun) -> str:
        if plan.cost is None:
            return self.tr("What it costs is not known here; see the service's price page.")
        if not plan.cost.amount:
            return self.tr("It costs nothing.")
        words = self.tr("It costs about {0} at the prices of {1}.")
        return words.format(
            money(plan.cost.amount, plan.cost.currency), plan.cost.as_of.isoformat()
        )

    def _confirm(self) -> None:
        self.confirmed.emit()
        self.accept()


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
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("The call"))
        self.fit(720, 520)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(12)
        column.addWidget(PageTitle(self.tr("The same start in a script"), self))
        words = self.tr("The key stands in the environment variable {0}, never in the script.")
        if recipe.target.protocol == "local":
            words = self.tr("No key is needed: the server of this computer keeps its own.")
        column.addWidget(Quiet(words.format(recipe.target.key_env), self, wrap=True))
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
        column.addWidget(self._tabs, 1)
        row = QHBoxLayout()
        copy = PlainButton(self.tr("Copy"), self, icon_name="copy")
        copy.clicked.connect(self._copy)
        close = PrimaryButton(self.tr("Close"), self)
        close.clicked.connect(self.accept)
        row.addWidget(copy)
        row.addStretch(1)
        row.addWidget(close)
        column.addLayout(row)

    def _copy(self) -> None:
        page = self._tabs.currentWidget()
        if isinstance(page, QPlainTextEdit):
            QGuiApplication.clipboard().setText(page.toPlainText())
