"""The queue: one conversation in the middle, every decision one key and one Edit."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from curator.app.annotate.annotating import AnnotationChange, annotate
from curator.app.annotate.label_picking import LabelPicking
from curator.app.counted import counted
from curator.app.page import OpenRequest, Page
from curator.app.pages.label.bar import LabelBar
from curator.app.pages.label.inspector import LabelInspector
from curator.app.pages.label.keys import Answer
from curator.app.pages.label.progress import LabelProgress, place_words
from curator.app.pages.label.queue import LabelQueue, Scope, Tally, ids_of, tally
from curator.app.pages.label.reading_pane import ReadingPane
from curator.app.pages.label.scopes import ScopeChips
from curator.app.pages.label.sets_dialog import LabelSetsDialog
from curator.app.pages.label.suspects_dialog import open_suspects
from curator.app.session.background import Jobs
from curator.app.session.session import Session
from curator.app.timers import single_shot
from curator.app.widgets.empty_state import EmptyState
from curator.app.widgets.stack import Stack
from curator.curate.labels import labels_of
from curator.dataset import Edit, LabelSet, Status

if TYPE_CHECKING:
    import numpy as np

    from curator.project.queries.index import Index
    from curator.project.store.changes import Changes


COUNT_AFTER_MS: Final = 60


class LabelPage(Page):
    """Goes through the conversations of the current filter, in its order."""

    page_id = "label"
    title = "Label"
    icon = "tag"
    has_letter_keys = True

    def __init__(self, session: Session, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(session, jobs, parent)
        self.queue = LabelQueue()
        self._scope: Scope = "todo"
        self._sets: tuple[LabelSet, ...] = ()
        self._stale = True
        self._annotated: int | None = None
        # At a million conversations counting takes longer than a key press may.
        self._soon = single_shot(self, COUNT_AFTER_MS, self._show_counts)
        self.add_action("label.sets")
        self.add_arrows()
        self._chips = ScopeChips(self)
        self._progress = LabelProgress(self)
        self.main = self._pane = ReadingPane(self)
        self._bar = LabelBar(self)
        self._inspector = LabelInspector(self)
        self._inspector.hide()
        self.picking = LabelPicking(session, self)
        self._empty = EmptyState("tag", "", "", self.tr("Show all"), self)
        self._stack = Stack(self)
        self._stack.addWidget(self._pane)
        self._stack.addWidget(self._empty)
        self.body.setSpacing(12)
        for widget in (self._chips, self._progress, self._stack, self._bar):
            self.body.addWidget(widget, int(widget is self._stack))
        self.session.edited.connect(self._edited)
        self.session.project_changed.connect(self._project_changed)
        self.session.closing.connect(self._closing)
        self._bar.answer_requested.connect(self.answer)
        self._bar.action_requested.connect(self.action_requested)
        self.picking.went_on.connect(self._go_on)
        self._chips.chosen.connect(self._scope_chosen)
        self._empty.pressed.connect(self._show_everything)
        self._empty.guide_requested.connect(partial(self.action_requested.emit, "help.guide"))
        self._inspector.change_requested.connect(self._annotate)
        self._inspector.text_left.connect(self._pane.setFocus)
        self._inspector.conversation_chosen.connect(self._reopen)

    def slots(self) -> Mapping[str, Callable[[], object]]:
        """Answer moving always, and deciding where the project may be changed."""
        if self.session.project is None:
            return {}
        slots: dict[str, Callable[[], object]] = {
            "conversation.next": self._next,
            "conversation.previous": self._previous,
            "message.next": self._pane.next_message,
            "message.previous": self._pane.previous_message,
            "label.suspects": partial(open_suspects, self),
        }
        if self.session.is_read_only:
            return slots
        slots |= {
            "label.sets": self._edit_sets,
            "edit.undo": partial(self._undo_or_redo, self.session.undo),
            "edit.redo": partial(self._undo_or_redo, self.session.redo),
        }
        if self.queue.current is not None:
            slots |= {
                "label.accept": partial(self.decide, Status.ACCEPTED),
                "label.reject": partial(self.decide, Status.REJECTED),
                "label.skip": partial(self.decide, Status.SKIPPED),
                "label.pending": partial(self.decide, Status.PENDING),
                "label.flag": self._flag,
                "label.note": self._inspector.focus_note,
                "label.tags": self._inspector.focus_tags,
                "label.pick": self._pick,
            }
            for key, answer in self._bar.answers.items():
                slots[f"label.value_{key}"] = partial(self.answer, answer)
        return slots

    def activated(self) -> None:
        """Follow the filter that is in force now."""
        if self._stale:
            self._begin()

    def deactivated(self) -> None:
        """Write back what is half typed; the filter may be another one next time."""
        self._inspector.commit()
        self.picking.leave()
        self._stale = True

    def open(self, request: OpenRequest) -> None:
        """Go to one conversation, or go through some of them."""
        self._inspector.commit()
        if request.ids is not None:
            self.queue = LabelQueue(request.ids)
        if request.conversation is not None:
            self.queue.go_to(request.conversation)
        self._show()

    def rail_count(self) -> int | None:
        """Return how many are pending or skipped in the whole project."""
        if self.session.index is None:
            return None
        counts = self.session.counts()
        return counts["pending"] + counts["skipped"]

    def inspector(self) -> QWidget:
        """Return findings, tags, note and history."""
        return self._inspector

    def decide(self, status: Status) -> None:
        """Give the current conversation a status, and go on where that is wanted."""
        conversation = self.queue.current
        if conversation is None:
            return
        self._inspector.commit()
        if not self._annotate(AnnotationChange("status", str(status))):
            return
        self._inspector.add_decision(conversation, self._pane.conversation_title, status)
        if status == Status.SKIPPED and self._scope == "todo":
            self.queue.put_off(conversation)
        if status != Status.PENDING:
            self._go_on(conversation)

    def answer(self, answer: Answer) -> None:
        """Give a label, or take it away where it was given already."""
        conversation = self.queue.current
        if conversation is None:
            return
        mine = self._my_labels(conversation)
        value = None if mine.get(answer.label_set) == answer.value else answer.value
        self._annotate(AnnotationChange(f"label:{answer.label_set}", value))

    def _begin(self) -> None:
        self._inspector.commit()
        self._stale = False
        self._show_counts()
        index, project = self.session.index, self.session.project
        if index is None or project is None:
            self.queue = LabelQueue()
        else:
            from curator.project.labels import label_sets

            self._show_sets(label_sets(project))
            self.queue = LabelQueue(ids_of(index, self._rows(index), self._scope))
            self.queue.start_at(self.session.current)
        self._bar.set_writable(writable=not self.session.is_read_only)
        self._inspector.set_read_only(read_only=self.session.is_read_only)
        self._show()

    def _rows(self, index: "Index") -> "np.ndarray | None":
        """Return the rows of the filter in force, None where there is none."""
        view = self.session.view
        return None if view is None else view.rows[view.rows < len(index)]

    def _show(self) -> None:
        conversation, project = self.queue.current, self.session.project
        self._soon.start()
        if conversation is None or project is None:
            self._show_empty()
            self.slots_changed.emit()
            return
        self.session.current = conversation
        self._stack.setCurrentWidget(self._pane)
        self._bar.show()
        self._pane.show_conversation(project.conversation(conversation))
        self._show_annotation()
        self.subtitle.setText(place_words(self.queue))
        self.slots_changed.emit()

    def _show_annotation(self) -> None:
        conversation, project = self.queue.current, self.session.project
        if conversation is None or project is None:
            return
        self._inspector.commit()
        annotation = project.annotation(conversation)
        facts = project.row(conversation)
        words = self.tr("Conversation {0} · {1} · {2}").format(
            conversation, counted(facts.n_messages, "message"), counted(facts.tokens, "token")
        )
        if facts.source_line is not None:
            words += self.tr(" · line {0}").format(f"{facts.source_line:,}")
        fresh, self._annotated = conversation != self._annotated, conversation
        found = project.findings(conversation)
        self._inspector.show_conversation(annotation, words, found, fresh=fresh)
        self._bar.show_state(self._my_labels(conversation), annotation.status, flag=annotation.flag)

    def _show_counts(self) -> None:
        index = self.session.index
        counts = Tally(0, 0, 0, 0, 0) if index is None else tally(index, self._rows(index))
        self._progress.show_counts(counts)
        self._chips.show_counts(counts, self._scope)

    def _show_empty(self) -> None:
        self._stack.setCurrentWidget(self._empty)
        self._bar.hide()
        self._inspector.show_nothing()
        self.subtitle.setText("")
        if self.session.index is None or not len(self.session.index):
            words = self.tr("Import files or write one; then conversations come one by one.")
            self._empty.set_message(self.tr("Nothing to label yet"), words, self.tr("Import files"))
        elif self._scope == "todo":
            self._empty.set_message(
                self.tr("All done"),
                self.tr("Every conversation of the current filter has a decision."),
                self.tr("Show all"),
                "check",
            )
        else:
            self._empty.set_message(
                self.tr("Nothing here"),
                self.tr("No conversation of the current filter is in this list."),
                self.tr("Show all"),
            )

    def _pick(self) -> None:
        self.picking.ask([] if self.queue.current is None else [self.queue.current])

    def _go_on(self, conversation: int) -> None:
        if self.session.preference("advance", default=True) and self.queue.current == conversation:
            self._next()

    def _next(self) -> None:
        self._inspector.commit()
        self.queue.next()
        self._show()

    def _previous(self) -> None:
        self._inspector.commit()
        self.queue.previous()
        self._show()

    def _reopen(self, conversation: int) -> None:
        self._inspector.commit()
        self.queue.go_to(conversation)
        self._show()

    def show_change(self, conversation: int, changes: "Changes") -> bool:
        """Go to the conversation that undo or redo was about."""
        if conversation != self.queue.current:
            self._reopen(conversation)
        if self.session.project is not None and "status" in changes.fields:
            status = self.session.project.annotation(conversation).status
            self._inspector.add_decision(conversation, self._pane.conversation_title, status)
        return True

    def _undo_or_redo(self, undo_or_redo: "Callable[[], Changes | None]") -> None:
        self._inspector.commit()
        undo_or_redo()

    def _flag(self) -> None:
        conversation, project = self.queue.current, self.session.project
        if conversation is not None and project is not None:
            self._annotate(AnnotationChange("flag", not project.annotation(conversation).flag))

    def _annotate(self, change: AnnotationChange) -> bool:
        """Change the current conversation; False where the project refused it."""
        current = self.queue.current
        return current is not None and annotate(self.session, [current], change, self)

    def _my_labels(self, conversation: int) -> dict[str, str]:
        project = self.session.project
        if project is None:
            return {}
        return labels_of(project.labels(conversation), self.session.author)

    def _edited(self, changes: "Changes") -> None:
        self.count_changed.emit()
        if not self.is_front:
            self._stale = True
            return
        if "label_sets" in changes.settings and self.session.project is not None:
            from curator.project.labels import label_sets

            self._show_sets(label_sets(self.session.project))
            self._show_annotation()
        if changes.rows_changed:
            QTimer.singleShot(0, self._begin)
        elif self.queue.current in changes.conversations:
            self._soon.start()
            if "content" in changes.fields:
                self._show()
            else:
                self._show_annotation()

    def _closing(self) -> None:
        self._inspector.commit()
        self._annotated = None

    def _project_changed(self) -> None:
        self._inspector.commit()
        self._stale = True
        self.queue = LabelQueue()
        self._inspector.history.clear()
        if self.is_front:
            self._begin()

    def _show_sets(self, sets: tuple[LabelSet, ...]) -> None:
        if sets != self._sets or not self._bar.answers:
            self._sets = sets
            self._bar.show_sets(sets)
            self.slots_changed.emit()

    def _edit_sets(self) -> None:
        dialog = LabelSetsDialog(self._sets, self)
        dialog.chosen.connect(self._sets_chosen)
        dialog.open()

    def _sets_chosen(self, sets: tuple[LabelSet, ...]) -> None:
        from curator.project.labels import label_sets_patch

        project = self.session.project
        if project is not None and sets != self._sets:
            patch = label_sets_patch(project, sets)
            self.session.push(Edit(self.tr("Edit label sets"), self.session.author, (patch,)))

    def _scope_chosen(self, scope: Scope) -> None:
        self._inspector.commit()
        self._scope = scope
        self.session.current = None
        self._begin()

    def _show_everything(self) -> None:
        if self.session.index is None or not len(self.session.index):
            self.action_requested.emit("file.import")
            return
        self._scope = "all"
        self._begin()
