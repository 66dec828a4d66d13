"""The Write page: the table of conversations over the editor of one, the inspector beside them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QSplitter, QTextEdit, QWidget

from curator.app.annotate.annotating import REMOVE, RESTORE, AnnotationChange, annotate
from curator.app.annotate.label_picking import LabelPicking
from curator.app.annotate.writing_inspector import WritingInspector
from curator.app.browse.conversation_list import ConversationList
from curator.app.editor.changes import first_difference, new_conversation
from curator.app.editor.conversation_editor import ConversationEditor
from curator.app.editor.hits import Hits
from curator.app.editor.message_card import MessageCard
from curator.app.page import OpenRequest, Page
from curator.app.session.background import Jobs
from curator.app.session.session import Session, View
from curator.app.text_order import go_to_next_text
from curator.app.token_estimates import stored_encoding
from curator.app.widgets.splitter import SplitterState
from curator.curate.search.query import parse_query
from curator.dataset import ContentPatch, Edit

if TYPE_CHECKING:
    from curator.app.browse.find_replace import FindReplaceDialog
    from curator.project.store.changes import Changes

WIDE_PX: Final = 1_280
"""From this width of the work area the table stands beside the editor instead of above it."""


class WritePage(Page):
    """Finds, reads and writes conversations."""

    page_id = "write"
    title = "Write"
    icon = "pen"

    def __init__(self, session: Session, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(session, jobs, parent)
        self._stale = True
        self._behind = False
        self._finding = -1
        self._annotated: int | None = None
        self._summed: View | None = None
        self._sums = (0, 0, 0)
        self._replace: FindReplaceDialog | None = None
        self.add_action("edit.replace")
        self.add_action("conversation.new", primary=True)
        self.list = ConversationList(session, self)
        self.main = self.list.grid
        self.editor = ConversationEditor(session, jobs, self)
        self._inspector = WritingInspector(self)
        self._inspector.tab_order = self.focusNextPrevChild
        self._inspector.hide()
        self.picking = LabelPicking(session, self)
        self._splitter = QSplitter(Qt.Orientation.Vertical, self)
        self._splitter.addWidget(self.list)
        self._splitter.addWidget(self.editor)
        self._splitter.setStretchFactor(0, 2)
        self._splitter.setStretchFactor(1, 3)
        self._splitter.setSizes([280, 420])
        SplitterState(self._splitter, "write")
        self.body.addWidget(self._splitter, 1)
        self.session.edited.connect(self._edited)
        self.session.project_changed.connect(self._project_changed)
        self.session.closing.connect(self._closing)
        self.list.chosen.connect(self._chosen)
        self.list.entered.connect(self.editor.enter_message)
        self.list.view_made.connect(self._view_made)
        self.list.import_wanted.connect(partial(self.action_requested.emit, "file.import"))
        self.editor.measured.connect(self._show_numbers)
        self.editor.checked.connect(self._inspector.show_findings)
        self.editor.action_requested.connect(self.action_requested)
        self.editor.prompts_requested.connect(self._open_prompts)
        self.editor.header.previous_requested.connect(partial(self._go, -1))
        self.editor.header.next_requested.connect(partial(self._go, 1))
        self._inspector.change_requested.connect(self._change_annotated)
        self._inspector.fix_requested.connect(self.editor.fix)
        self._inspector.finding_chosen.connect(self.editor.show_finding)
        self._inspector.base_model_chosen.connect(self.editor.draft_counter.choose)
        self._inspector.prompts_requested.connect(self._open_prompts)
        self._inspector.pick_requested.connect(self._pick)
        self._inspector.text_left.connect(self.list.grid.setFocus)
        self.picking.went_on.connect(self._go_on)

    def slots(self) -> Mapping[str, Callable[[], object]]:
        """Answer finding and moving always, writing where the project may be changed."""
        if self.session.project is None:
            return {}
        slots: dict[str, Callable[[], object]] = {
            "edit.find": self._find,
            "edit.replace": self._find_and_replace,
            "edit.select_all": self.list.choose_all,
            "conversation.next": partial(self._go, 1),
            "conversation.previous": partial(self._go, -1),
            "message.next": partial(self.editor.go_to_message, 1),
            "message.previous": partial(self.editor.go_to_message, -1),
            "message.edit": self.editor.enter_message,
            "check.next": partial(self._show_finding, 1),
            "check.previous": partial(self._show_finding, -1),
        }
        if not self.session.is_read_only:
            slots |= self._writing_slots()
        return slots

    def activated(self) -> None:
        """Catch up with what happened while another page was in front."""
        if self._stale:
            self._reload()
        elif self._behind:
            self._behind = False
            self.list.catch_up()
        elif self.session.current is not None and self.session.current != self.editor.drafts.id:
            self.list.go_to(self.session.current)
        self.editor.draft_counter.load()

    def deactivated(self) -> None:
        """Write what is typed."""
        self.editor.commit()
        self._inspector.commit()
        self.picking.leave()

    def open(self, request: OpenRequest) -> None:
        """Show one conversation, or search for what another page asked for."""
        if request.detail:
            self.list.search.set_text(request.detail)
        if request.conversation is not None:
            self.list.go_to(request.conversation)

    def show_change(self, conversation: int, changes: "Changes") -> bool:
        """Go to the conversation, and to the message, that undo or redo changed."""
        self.list.go_to(conversation)
        for patch in changes.edit.patches:
            if isinstance(patch, ContentPatch) and patch.conversation == conversation:
                self.editor.cards.bring(first_difference(patch.before, patch.after))
        return True

    def rail_count(self) -> int | None:
        """Return how many conversations there are."""
        index = self.session.index
        return self.session.counts()["all"] if index is not None else None

    def inspector(self) -> QWidget:
        """Return tokens, findings, labels, note and history."""
        return self._inspector

    def new_conversation(self) -> None:
        """Write a new conversation that begins with the prompt most in use here."""
        draft = self.editor.drafts.draft
        prompt = draft.system_prompt if draft is not None else ""
        saved = self.session.setting("system_prompts", []) or []
        self._add(
            new_conversation(saved[0] if saved else prompt).to_json(), self.tr("New conversation")
        )
        self.editor.cards.go_to(1 if prompt or saved else 0, enter=True)

    def _writing_slots(self) -> dict[str, Callable[[], object]]:
        status = {
            "label.accept": "accepted",
            "label.reject": "rejected",
            "label.skip": "skipped",
            "label.pending": "pending",
        }
        slots: dict[str, Callable[[], object]] = {
            "edit.undo": partial(self._undo_or_redo, self.session.undo),
            "edit.redo": partial(self._undo_or_redo, self.session.redo),
            "conversation.new": self.new_conversation,
            "conversation.paste": self.list.paste,
            **{
                name: partial(self.list.change, AnnotationChange("status", value))
                for name, value in status.items()
            },
            "label.flag": self._flag,
            "label.note": self._inspector.focus_note,
            "label.tags": self._inspector.focus_tags,
            "label.pick": self._pick,
        }
        if self.session.current is not None:
            editor = self.editor
            slots |= {
                "conversation.duplicate": self._duplicate,
                "conversation.remove": partial(self._remove, removed=True),
                "conversation.restore": partial(self._remove, removed=False),
                "conversation.save_next": self._save_next,
                **{f"message.{v}": partial(editor.step, v) for v in ("add", "duplicate", "remove", "up", "down")},
                "message.role": partial(self._on_card, MessageCard.choose_role),
                "message.weight": partial(self._on_card, MessageCard.toggle_weight),
                "check.fix_one": editor.fix_first,
            }  # fmt: skip
        return slots

    def _closing(self) -> None:
        self._inspector.commit()
        self._annotated = None

    def _project_changed(self) -> None:
        self._stale = True
        if self.is_front:
            self._reload()
        self.slots_changed.emit()

    def _reload(self) -> None:
        self._stale = False
        self.list.reload()
        self._show_annotation()
        self.editor.draft_counter.load()
        self.count_changed.emit()

    def _edited(self, changes: "Changes") -> None:
        if self.is_front:
            self.list.edited(changes)
        else:
            # Another page works with the view and the current conversation: leave both alone.
            self._behind = True
            self.list.table.forget(changes)
        if self.session.current in changes.conversations:
            if changes.fields == {"content"}:
                self._show_history()
            else:
                self._show_annotation()
        if changes.fields != {"content"} or changes.rows_changed:
            self.count_changed.emit()

    def _chosen(self, conversation: int | None) -> None:
        self._inspector.commit()
        self.editor.open(conversation)
        self._show_annotation()
        self.slots_changed.emit()

    def _show_annotation(self) -> None:
        self._inspector.commit()  # What is half typed belongs to the conversation shown until now.
        project, conversation = self.session.project, self.session.current
        if project is None or conversation is None:
            self._annotated = None
            self._inspector.show_nothing()
            return
        from curator.project.labels import label_sets

        fresh, self._annotated = conversation != self._annotated, conversation
        self._inspector.show_annotation(
            project.annotation(conversation),
            label_sets(project),
            project.labels(conversation),
            self.session.author,
            fresh=fresh,
        )
        self._show_history()
        self._inspector.set_read_only(read_only=self.session.is_read_only)

    def _show_history(self) -> None:
        project, conversation = self.session.project, self.session.current
        if project is not None and conversation is not None:
            self._inspector.history.show_history(project.history(conversation))

    def _show_numbers(self, _news: object = None) -> None:
        index, view = self.session.index, self.session.view
        counter = self.editor.draft_counter
        self._inspector.show_base_model(
            counter.base_model, counter.facts.note if counter.facts else ""
        )
        if index is None or view is None:
            self._inspector.show_measure(self.editor.measure, 0, 0, 0)
            return
        # The sums are of the view, so they are taken once for each view, not at every key.
        if view is not self._summed:
            self._summed = view
            self._sums = (
                int(index.tokens[view.rows].sum()),
                int(index.trained_tokens[view.rows].sum()),
                len(view.rows),
            )
        encoding = stored_encoding(counter.base_model)
        self._inspector.show_measure(self.editor.measure, *self._sums, encoding)

    def _view_made(self) -> None:
        self.editor.cards.mark(Hits(parse_query(self.list.maker.query)) or None)
        self._show_numbers()

    def _change_annotated(self, change: AnnotationChange) -> None:
        if self._annotated is not None:
            annotate(self.session, [self._annotated], change, self)

    def _flag(self) -> None:
        project, current = self.session.project, self.session.current
        if project is not None and current is not None:
            self.list.change(AnnotationChange("flag", not project.annotation(current).flag))

    def _remove(self, *, removed: bool) -> None:
        self.editor.commit()
        self.list.change(REMOVE if removed else RESTORE)

    def _duplicate(self) -> None:
        project, current = self.session.project, self.session.current
        if project is not None and current is not None:
            self.editor.commit()
            self._add(project.content(current), self.tr("Duplicate conversation"))

    def _add(self, line: str, title: str) -> None:
        project = self.session.project
        if project is None:
            return
        self.editor.commit()
        conversation = project.new_conversation_ids(1)[0]
        patch = ContentPatch(conversation, None, line)
        if self.session.push(Edit(title, self.session.author, (patch,))) is not None:
            self.session.current = conversation
            self.list.go_to(conversation)

    def _undo_or_redo(self, step: Callable[[], object]) -> None:
        self.editor.commit()
        self._inspector.commit()
        step()

    def _go(self, by: int) -> None:
        self.editor.commit()
        self.list.step(by)

    def _pick(self) -> None:
        self.picking.ask(self.list.chosen_ids())

    def _go_on(self, conversation: int) -> None:
        # Where the answer took the conversation out of the filter, the next one is here already.
        if self.session.current == conversation and self.session.preference(
            "advance", default=True
        ):
            self._go(1)

    def _save_next(self) -> None:
        writing = isinstance(QApplication.focusWidget(), QTextEdit)
        self._go(1)
        if writing:
            self.editor.enter_message()

    def _find(self) -> None:
        self.list.search.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.list.search.field.selectAll()

    def _find_and_replace(self) -> None:
        from curator.app.browse.find_replace import FindReplaceDialog

        self.editor.commit()
        if self._replace is None:
            self._replace = FindReplaceDialog(self.session, self)
            self._replace.conversation_chosen.connect(self.list.go_to)
        self._replace.show()
        self._replace.raise_()
        self._replace.look_in(self.list.shown_ids())

    def _open_prompts(self) -> None:
        from curator.app.dialogs.prompts_dialog import PromptsDialog

        self.editor.commit()
        dialog = PromptsDialog(self.session, self)
        dialog.prompt_chosen.connect(self.editor.use_prompt)
        dialog.look_in(self.list.shown_ids(), one_is_open=self.session.current is not None)
        dialog.open()

    def _show_finding(self, by: int) -> None:
        findings = [f for f in self.editor.findings if f.place.message is not None]
        if findings:
            self._finding = (self._finding + by) % len(findings)
            self.editor.show_finding(findings[self._finding])

    def _on_card(self, do: Callable[[MessageCard], None]) -> None:
        card = self.editor.current_card
        if card is not None:
            do(card)

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: FBT001 - Qt's own
        """Go from a text into the next one; from anything else to whatever comes next."""
        self.editor.cards.make_adjacent_cards()
        regions = (self.list, self.editor, self._inspector)
        if go_to_next_text(regions, forward=forward):
            return True
        return super().focusNextPrevChild(forward)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the table beside the editor where there is room."""
        super().resizeEvent(event)
        wide = self.width() >= WIDE_PX
        wanted = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if self._splitter.orientation() != wanted:
            self._splitter.setOrientation(wanted)
            self._splitter.setSizes([45, 55] if wide else [280, 420])
