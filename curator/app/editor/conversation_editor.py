"""The conversation editor: joins the draft, the cards, the counter and the checks."""

import time
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from curator.app.counted import counted
from curator.app.editor import changes
from curator.app.editor.card_list import READING_PX, CardList
from curator.app.editor.draft_counter import DraftCounter, Measure
from curator.app.editor.drafts import Drafts
from curator.app.editor.editor_header import EditorHeader
from curator.app.editor.findings_list import FindingsList
from curator.app.editor.tool_definitions import ToolDefinitions
from curator.app.session.background import Jobs
from curator.app.session.session import Session
from curator.app.timers import single_shot
from curator.app.widgets.buttons import FlatButton
from curator.app.widgets.empty_state import EmptyState
from curator.app.widgets.layouts import vbox
from curator.app.widgets.stack import Stack
from curator.dataset import Conversation, Finding
from curator.dataset.json_values import Json

if TYPE_CHECKING:
    from curator.app.editor.message_card import MessageCard

CHECK_MS: Final = 300
"""How long after the last key the checks run."""

_MANY_MESSAGES: Final = 60
"""A conversation of more is counted and checked bit by bit when it is opened."""

_BIG_CHARACTERS: Final = 60_000
"""A longer line is checked in the background."""


class ConversationEditor(QWidget):
    """Edits the conversation that was opened; measured and checked tell what was found in the draft."""

    measured = Signal(object)
    checked = Signal(object)
    opened = Signal()
    action_requested = Signal(str)
    prompts_requested = Signal()

    def __init__(self, session: Session, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.drafts = Drafts(session, self)
        self.draft_counter = DraftCounter(session, jobs, self)
        self.measure: Measure | None = None
        self.findings: tuple[Finding, ...] = ()
        self.count_seconds = 0.0
        self._check_number = 0
        self.header = EditorHeader(self)
        self.header.setMaximumWidth(READING_PX)
        self.general = FindingsList(self)
        self.tools = ToolDefinitions(self)
        self.cards = CardList(self)
        self._add_system = FlatButton(self.tr("Add a system prompt"), self, icon_name="plus")
        self.cards.top.addWidget(self.general)
        self.cards.top.addWidget(self.tools)
        self.cards.top.addWidget(self._add_system, 0, Qt.AlignmentFlag.AlignLeft)
        self._work = QWidget(self)
        vbox(self.header, (self.cards, 1), parent=self._work, spacing=8, margins=0)
        self._empty = EmptyState(
            "pen",
            self.tr("No conversation chosen"),
            self.tr("Choose one in the table, or write a new one."),
            self.tr("New conversation"),
            self,
            guide=False,
        )
        self._stack = Stack(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._work)
        vbox(self._stack, parent=self, margins=0)
        self._checks = single_shot(self, 0, self.check)
        self.drafts.opened.connect(self._on_opened)
        self.drafts.refreshed.connect(partial(self._show, fresh=False))
        self.drafts.typed.connect(self._measure_and_check_later)
        self.draft_counter.ready.connect(self._measure_and_check)
        self.draft_counter.counted.connect(self._measure_and_check_soon)
        self._session.edited.connect(self._on_edited)
        self._empty.pressed.connect(partial(self.action_requested.emit, "conversation.new"))
        self._add_system.clicked.connect(self.prompts_requested)
        self.general.fix_requested.connect(self.fix)
        cards = self.cards
        cards.message_typed.connect(self._message_typed)
        cards.message_changed.connect(self._message_changed)
        cards.verb_requested.connect(self._verb)
        cards.add_requested.connect(self._add)
        cards.left.connect(self.drafts.leave)
        cards.fix_requested.connect(self.fix)
        self.tools.typed.connect(self._tools_typed)
        self.tools.changed.connect(self._tools_changed)
        self.tools.left.connect(self.drafts.leave)
        self._show(fresh=True)

    def open(self, conversation: int | None) -> None:
        """Edit another conversation, or none."""
        if conversation != self.drafts.id or conversation is None:
            self.drafts.open(conversation)

    def commit(self) -> None:
        """Write what is typed now."""
        self.drafts.commit()

    @property
    def can_write(self) -> bool:
        """Whether a conversation is open that may be changed."""
        return self.drafts.draft is not None and not self._session.is_read_only

    @property
    def current_card(self) -> "MessageCard | None":
        """The current card, or None."""
        number = self.cards.current
        return self.cards.card(number) if 0 <= number < len(self.cards.placeholders) else None

    def step(self, verb: str) -> None:
        """Do something with the current message: add, duplicate, remove, up, down."""
        self._verb(self.cards.current, verb)

    def go_to_message(self, by: int) -> None:
        """Move on by some messages."""
        last = len(self.cards.placeholders) - 1
        self.cards.go_to(min(last, max(0, self.cards.current + by)))

    def enter_message(self) -> None:
        """Put the cursor into the current message."""
        self.cards.go_to(max(0, self.cards.current), enter=True)

    def leave_text(self) -> None:
        """Put the focus on the current card, or on the first one."""
        self.cards.go_to(max(0, self.cards.current))

    def use_prompt(self, text: str) -> None:
        """Let the conversation begin with this system prompt."""
        from curator.curate.prompts import with_system_prompt

        if self.drafts.draft is not None:
            self.drafts.commit()
            self.drafts.change(
                with_system_prompt(self.drafts.draft, text), self.tr("System prompt")
            )

    def fix_first(self) -> None:
        """Apply the fix that the fix key shows."""
        finding = self._first_fixable()
        if finding is not None:
            self.fix(finding)

    def fix(self, finding: Finding) -> None:
        """Apply the fix of a finding; what it moves out goes to the metadata in the same step."""
        from curator.project.fixing import fix_one

        self.drafts.commit()
        project, conversation = self._session.project, self.drafts.id
        if project is None or conversation is None or self.drafts.is_dirty or not self.can_write:
            return
        edit = fix_one(project, conversation, finding, self._session.author)
        if edit is not None:
            self._session.push(edit)

    def show_finding(self, finding: Finding) -> None:
        """Go to the place a finding names and select it."""
        place = finding.place
        if place.message is None or not 0 <= place.message < len(self.cards.placeholders):
            return
        self.cards.go_to(place.message)
        field = self.cards.card(place.message).text_field(place.field)
        if field is not None:
            field.setFocus()
            if place.start is not None and place.end is not None:
                field.select(place.start, place.end)

    def check(self) -> None:
        """Run the checks on the draft now."""
        from curator.curate.checks import check_conversation

        self._checks.stop()
        self._show_cut()
        self._check_number += 1
        draft, raw = self.drafts.draft, self.drafts.raw
        if draft is None:
            self._show_findings(())
            return
        measure = self.measure
        limit, tokens = (measure.limit, measure.count.total) if measure else (None, None)
        profile, number = self.draft_counter.profile, self._check_number

        def run() -> tuple[Finding, ...]:
            return check_conversation(draft, profile=profile, limit=limit, tokens=tokens, raw=raw)

        if sum(len(message.text) for message in draft.messages) < _BIG_CHARACTERS:
            self._show_findings(run())
            return

        def work(*_calls: object) -> tuple[int, tuple[Finding, ...]]:
            return number, run()

        self._session.start(self.tr("Checking"), work).succeeded.connect(self._checked_apart)

    def _on_opened(self) -> None:
        self._show(fresh=True)
        self.opened.emit()

    def _show(self, *, fresh: bool) -> None:
        draft = self.drafts.draft
        self._stack.setCurrentIndex(0 if draft is None else 1)
        self._empty.button.setVisible(not self._session.is_read_only)
        if draft is None or self.drafts.id is None:
            self._show_findings(())
            return
        if fresh:
            self._show_findings(())
        self.tools.show_tools(draft.fields.get("tools"), fresh=fresh)
        self.cards.show_tools(draft.fields.get("tools"))
        self.cards.show_messages(changes.messages_of(draft), fresh=fresh)
        self.set_read_only(read_only=self._session.is_read_only)
        self._show_annotation()
        if len(self.cards.placeholders) > _MANY_MESSAGES:
            self.measure = None
            self.header.show_title(self.drafts.id, draft)
            self.header.show_measure(None, draft)
            self.draft_counter.count_ahead(draft)
        else:
            self._measure_and_check()

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the conversation be changed, or only be read."""
        self.cards.set_read_only(read_only=read_only)
        self.tools.set_read_only(read_only=read_only)

    def _show_annotation(self) -> None:
        project = self._session.project
        if project is not None and self.drafts.id is not None:
            self.header.show_annotation(project.annotation(self.drafts.id))

    def _on_edited(self, news: object) -> None:
        if self.drafts.id in getattr(news, "conversations", ()):
            self._show_annotation()
        if {"base_model", "rules_profile"} & set(getattr(news, "settings", ())):
            self.draft_counter.load()

    def _measure_and_check(self) -> None:
        self._measure()
        self.check()

    def _measure_and_check_soon(self) -> None:
        self._measure()
        self._checks.start(0)

    def _measure_and_check_later(self) -> None:
        self._measure()
        self._checks.start(CHECK_MS)

    def _measure(self) -> None:
        draft = self.drafts.draft
        if draft is None or self.drafts.id is None:
            return
        began = time.perf_counter()
        self.measure = self.draft_counter.measure(draft)
        self.count_seconds = time.perf_counter() - began
        self.header.show_title(self.drafts.id, draft)
        self.header.show_measure(self.measure, draft)
        roles = [changes.role_of(message) for message in changes.messages_of(draft)[:1]]
        self._add_system.setVisible(self.can_write and roles not in (["system"], ["developer"]))
        if self.measure is not None:
            self.cards.show_tokens(
                self.measure.count.per_message, self.measure.cut, self._cut_words(self.measure)
            )
        self.measured.emit(self.measure)

    def _show_cut(self) -> None:
        measure, draft = self.measure, self.drafts.draft
        if measure is None or draft is None or measure.cut is None:
            self.cards.show_cut(None, 0)
            return
        text = draft.messages[measure.cut].text
        self.cards.show_cut(measure.cut, self.draft_counter.cut_in(measure, text))

    def _cut_words(self, measure: Measure) -> str:
        words = self.tr("{0} reads {1} of {2} and stops in the next turn")
        tokens = counted(measure.count.total, "token")
        return words.format(measure.base_model, f"{measure.limit:,}", tokens)

    def _checked_apart(self, found: tuple[int, tuple[Finding, ...]]) -> None:
        number, findings = found
        if number == self._check_number:
            self._show_findings(findings)

    def _show_findings(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        first = self._first_fixable()
        self.general.show_findings([f for f in findings if f.place.message is None], first)
        self.cards.show_findings([f for f in findings if f.place.message is not None], first)
        self.checked.emit(findings)

    def _first_fixable(self) -> Finding | None:
        fixable = [finding for finding in self.findings if finding.fix]
        here = [finding for finding in fixable if finding.place.message == self.cards.current]
        return next(iter(here or fixable), None)

    def _message_typed(self, number: int, message: Json) -> None:
        if self.drafts.draft is not None:
            draft = changes.exchanged(self.drafts.draft, number, message)
            self.drafts.type(draft, self.tr("Edit turn {0}").format(number + 1), str(number))

    def _message_changed(self, number: int, message: Json) -> None:
        if self.drafts.draft is not None:
            title = self.tr("Change turn {0}").format(number + 1)
            self.drafts.change(changes.exchanged(self.drafts.draft, number, message), title)

    def _verb(self, number: int, verb: str) -> None:
        draft = self.drafts.draft
        if verb in ("undo", "redo"):
            self.action_requested.emit(f"edit.{verb}")
        elif verb == "prompts":
            self.prompts_requested.emit()
        elif draft is None or not self.can_write:
            return
        elif verb == "add":
            self._add(number + 1, "")
        elif 0 <= number < len(self.cards.placeholders):
            self._step_on_message(draft, number, verb)

    def _step_on_message(self, draft: Conversation, number: int, verb: str) -> None:
        last = len(self.cards.placeholders) - 1
        to = number
        if verb == "duplicate":
            message = changes.messages_of(draft)[number]
            after, to = changes.inserted(draft, number + 1, message), number + 1
            title = self.tr("Duplicate turn {0}")
        elif verb == "remove":
            after, to = changes.removed(draft, number), min(number, last - 1)
            title = self.tr("Remove turn {0}")
        else:
            steps = {"up": number - 1, "down": number + 1}
            to = steps[verb] if verb in steps else int(verb.removeprefix("to "))
            if not 0 <= to <= last:
                return
            after = changes.moved(draft, number, to)
            title = self.tr("Move turn {0}")
        if self.drafts.change(after, title.format(number + 1)):
            self.cards.go_to(to)

    def _add(self, number: int, role: str) -> None:
        draft = self.drafts.draft
        if draft is None or not self.can_write:
            return
        message = changes.new_message(draft, number, role)
        title = self.tr("Add turn {0}").format(number + 1)
        if self.drafts.change(changes.inserted(draft, number, message), title):
            self.cards.go_to(number, enter=True)

    def _tools_typed(self, tools: Json) -> None:
        if self.drafts.draft is not None:
            self.drafts.type(self._with_tools(tools), self.tr("Edit tools"), "tools")

    def _tools_changed(self, tools: Json) -> None:
        if self.drafts.draft is not None:
            self.drafts.change(self._with_tools(tools), self.tr("Change tools"))

    def _with_tools(self, tools: Json) -> Conversation:
        draft = self.drafts.draft or Conversation({})
        return draft.without("tools") if tools is None else draft.replace(tools=tools)
