"""The system prompts of the project: choose one for this conversation, or for all that are shown."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QWidget,
)

from curator.app.dialogs.confirm import confirm_if_many
from curator.app.session.session import Session
from curator.app.theme import READ_PX, font
from curator.app.widgets.buttons import FlatButton, PlainButton, PrimaryButton, allow
from curator.app.widgets.card import Card
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.layouts import hbox
from curator.app.widgets.message_text import MessageText
from curator.app.widgets.text import Meta
from curator.dataset import Edit, SettingPatch
from curator.dataset.progress import CancelledCall, ProgressCall

if TYPE_CHECKING:
    from curator.project.prompts import UsedPrompt
    from curator.project.store.changes import Changes
    from curator.project.store.reader import Reader


class PromptsDialog(Dialog):
    """Lists prompts with how often each is used; the text beside it can be changed before use."""

    prompt_chosen = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._ids: Sequence[int] = ()
        self.setWindowTitle(self.tr("System prompts"))
        self.fit(820, 460)
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("System prompts"))
        self.list.setUniformItemSizes(True)
        self.list.currentItemChanged.connect(self._show)
        self.text = MessageText(self)
        self.text.setFont(font(READ_PX))
        self.text.setProperty("kind", "plain")
        self.text.setAccessibleName(self.tr("Prompt"))
        self.text.setPlaceholderText(self.tr("Write a system prompt"))
        card = self._card = Card(self, stripe="role-system")
        card.body.addWidget(self.text)
        card.body.addStretch(1)
        self._area = QScrollArea(self)
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(card)
        self.text.cursorPositionChanged.connect(self._show_caret)
        row = hbox((self.list, 2), (self._area, 3), spacing=12)
        self.add((row, 1), self._foot())

    def look_in(self, ids: Sequence[int], *, one_is_open: bool) -> None:
        """Offer prompts for the open conversation and for these that are shown."""
        self._ids = ids
        may = not self._session.is_read_only
        allow(self._keep, allowed=may)
        nobody = self.tr("No conversation is chosen.") if may else ""
        allow(self._here, allowed=may and one_is_open, reason=nobody)
        nobody = self.tr("No conversation is shown.") if may else ""
        allow(self._everywhere, allowed=may and bool(ids), reason=nobody)
        self._everywhere.setText(self.tr("Use in all {0} shown").format(f"{len(ids):,}"))
        project = self._session.project
        if project is None:
            return

        def work(_progress: ProgressCall, _cancelled: CancelledCall) -> "tuple[UsedPrompt, ...]":
            from curator.project.prompts import used_prompts

            with project.reader() as reader:
                return used_prompts(reader)

        self._session.start(self.tr("Reading prompts"), work).succeeded.connect(self._fill)

    def main_control(self) -> QWidget:
        """Return the list of prompts."""
        return self.list

    def _foot(self) -> QHBoxLayout:
        self._state = Meta("", self)
        self._keep = PlainButton(self.tr("Keep in the project"), self)
        self._everywhere = PlainButton("", self)
        self._here = PrimaryButton(self.tr("Use in this conversation"), self)
        self._keep.clicked.connect(self._save)
        self._everywhere.clicked.connect(self._ask_unify)
        self._here.clicked.connect(self._use)
        cancel = FlatButton(self.tr("Cancel"), self)
        cancel.clicked.connect(self.reject)
        return hbox((self._state, 1), cancel, self._keep, self._everywhere, self._here, spacing=8)

    def _fill(self, used: "tuple[UsedPrompt, ...]") -> None:
        from curator.curate.prompts import known_prompts

        counts = {prompt.text: prompt.count for prompt in used}
        saved = self._session.setting("system_prompts", []) or []
        written = self.text.is_written
        with QSignalBlocker(self.list):
            self.list.clear()
        for text in known_prompts(saved, [prompt.text for prompt in used]):
            line = " ".join(text[:200].split())
            item = QListWidgetItem(f"{counts.get(text, 0):,}   {line}")
            item.setData(Qt.ItemDataRole.UserRole, text)
            self.list.addItem(item)
        if self.list.count() and not written:
            self.list.setCurrentRow(0)
        self._state.setText(self.tr("Prompts: {0}").format(self.list.count()))

    def _show_caret(self) -> None:
        place = self.text.mapTo(self._card, self.text.cursorRect().center())
        self._area.ensureVisible(place.x(), place.y())

    def _show(self, item: QListWidgetItem | None) -> None:
        self.text.load(item.data(Qt.ItemDataRole.UserRole) if item is not None else "")

    def _use(self) -> None:
        self.prompt_chosen.emit(self.text.text())
        self.close()

    def _save(self) -> None:
        before = self._session.setting("system_prompts")
        text = self.text.text()
        after = [*(before or []), text]
        if text.strip() and text not in (before or []):
            patch = SettingPatch("system_prompts", before, after)
            self._session.push(
                Edit(self.tr("Keep a system prompt"), self._session.author, (patch,))
            )

    def _ask_unify(self) -> None:
        title = self.tr("Use this prompt in all that are shown")
        confirm_if_many(self._session, len(self._ids), title, self.tr("Use it"), self._unify, self)

    def _unify(self) -> None:
        text, ids, author = self.text.text(), self._ids, self._session.author

        def work(reader: "Reader", progress: ProgressCall, cancelled: CancelledCall) -> Edit | None:
            from curator.project.prompts import unifying

            return unifying(reader, ids, text, author, progress, cancelled)

        job = self._session.push_later(self.tr("Putting the prompt in place"), work)
        if job is not None:
            job.succeeded.connect(self._tell_unified)

    def _tell_unified(self, applied: "Sequence[Changes]") -> None:
        if not applied:
            self._state.setText(self.tr("All of them begin with it already"))
            return
        words = self.tr("Conversations that begin with it now: {0}.")
        self._session.notify_step(words.format(f"{len(applied[0].conversations):,}"))
        self.close()
