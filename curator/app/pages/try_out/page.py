"""Trying: the same question to two candidates side by side, and the replies as they come."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QSplitter, QWidget

from curator.app.actions import action
from curator.app.page import OpenRequest, Page
from curator.app.pages.try_out.asked_before import Past
from curator.app.pages.try_out.background import Choices, next_test_prompt, read_choices
from curator.app.pages.try_out.exchange import LEFT, RIGHT, Answer, Exchange, keeping
from curator.app.pages.try_out.question_card import QuestionCard
from curator.app.pages.try_out.side import Side
from curator.app.session.background import Jobs
from curator.app.session.session import Session, failure_words
from curator.app.widgets.empty_state import EmptyState
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.splitter import SplitterState
from curator.app.widgets.stack import Stack
from curator.tune.candidates import first_pair

EMPTY, WORK = 0, 1
_MOST_PX: Final = 1440


class TryPage(Page):
    """A question, two candidates, and what each of them says."""

    page_id = "try"
    title = "Try"
    icon = "chat"

    def __init__(self, session: Session, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(session, jobs, parent)
        self._exchanges: list[Exchange] = []
        self._current = -1
        self._is_known = False
        self._last_test: int | None = None
        self._wanted = ""
        self._past = Past()
        self._test = self.add_action("try.question")
        self.question = QuestionCard(self)
        self.main = self.question.text
        self.sides = (
            Side(self.tr("left side"), action("try.keep_left").hint(), self),
            Side(self.tr("right side"), action("try.keep_right").hint(), self),
        )
        self.empty = EmptyState("chat", "", "", parent=self)
        self._stack = Stack(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self._work())
        self.body.addWidget(self._stack, 1)
        self.empty.set_message(self.tr("Looking for candidates"), self.tr("A moment."), "")
        self.question.changed.connect(self._light)
        self.question.action_requested.connect(self.action_requested)
        self.question.text.ask_requested.connect(self.ask)
        # From anywhere on the page; in the text the field itself answers.
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self.ask)
        self._past.chosen.connect(self._show_exchange)
        self.empty.pressed.connect(self._way_out)
        self.empty.guide_requested.connect(partial(self.action_requested.emit, "help.guide"))
        self.session.project_changed.connect(self._project_changed)
        for number, side in enumerate(self.sides):
            self._connect_side(number, side)
        self._light()

    def slots(self) -> Mapping[str, Callable[[], object]]:
        """Answer what the chosen candidates and the replies allow."""
        if self._stack.currentIndex() != WORK:
            return {}
        if self.is_asking:
            return {"try.stop": self.stop}
        slots: dict[str, Callable[[], object]] = {"try.question": self.take_test_question}
        if self._can_ask():
            slots["try.ask"] = self.ask
        for side, name in ((LEFT, "try.keep_left"), (RIGHT, "try.keep_right")):
            if self._can_keep(side):
                slots[name] = partial(self.keep, side)
        return slots

    def activated(self) -> None:
        """Read who can be asked: a job may have ended meanwhile."""
        looking = read_choices(self.session.project)
        job = self.session.start(self.tr("Looking for candidates"), looking)
        job.succeeded.connect(self._show_choices)
        job.failed.connect(self._broken)

    def open(self, request: OpenRequest) -> None:
        """Put the checkpoint another page asks about beside its base, as soon as it is offered."""
        self._wanted = request.detail
        self._take_wanted()

    def inspector(self) -> QWidget:
        """Return the questions of this session."""
        return self._past

    @property
    def is_asking(self) -> bool:
        """Whether a reply is on its way."""
        return any(side.is_asking for side in self.sides)

    def ask(self) -> None:
        """Ask both sides what stands in the question."""
        if self._stack.currentIndex() != WORK or self.is_asking or not self._can_ask():
            return
        prompt = self.question.prompt()
        self._exchanges.append(Exchange(prompt))
        self._current = len(self._exchanges) - 1
        self._past.show_past(self._exchanges, self._current)
        temperature = round(self.question.temperature.value(), 2)
        for side in self.sides:
            side.ask(self.session, prompt, temperature, self.question.longest.value())
        self._light()

    def stop(self) -> None:
        """Let both replies go; what came so far stays."""
        for side in self.sides:
            side.stop()

    def take_test_question(self) -> None:
        """Take the next question of the test split, with the answer it demonstrates."""
        project, index = self.session.project, self.session.index
        if project is None or index is None or self.is_asking:
            return
        found = next_test_prompt(project, index, self._last_test)
        if found is None:
            self.session.notify(
                "info",
                self.tr("No conversation of the test split asks something and answers in text."),
                self.tr("Split the project first; the test split holds what was not trained on."),
                self.tr("Go to splits"),
                partial(self.open_requested.emit, OpenRequest("export")),
            )
            return
        self._last_test = found.conversation
        self.question.take(found)
        self._leave_past()
        self.question.text.setFocus()

    def keep(self, side: int) -> None:
        """Keep one side's exchange as a new conversation of the project."""
        project, answer = self.session.project, self.sides[side].answer
        if project is None or answer is None or not self._can_keep(side):
            return
        conversation = project.new_conversation_ids(1)[0]
        prompt = self._exchanges[self._current].prompt
        title = self.tr("Keep a reply")
        edit = keeping(prompt, answer, conversation, title, self.session.author)
        if self.session.push(edit) is not None:
            self.session.notify(
                "success",
                self.tr("Kept as conversation {0}.").format(f"{conversation:,}"),
                self.tr("Its metadata name {0} as its author.").format(answer.candidate.name),
                self.tr("Open it"),
                partial(self.open_requested.emit, OpenRequest("write", conversation)),
            )

    def _work(self) -> QWidget:
        replies = QSplitter(Qt.Orientation.Horizontal, self)
        for side in self.sides:
            side.setMinimumWidth(280)
            replies.addWidget(side)
            replies.setStretchFactor(replies.count() - 1, 1)
        replies.setSizes([500, 500])
        SplitterState(replies, "try-sides")
        # On a very wide screen lines would grow too long to read.
        holder, outer = QWidget(self), QWidget(self)
        holder.setMaximumWidth(_MOST_PX)
        vbox(self.question, (replies, 1), parent=holder, spacing=12, margins=0)
        hbox((holder, _MOST_PX), STRETCH, parent=outer, margins=0)
        return outer

    def _connect_side(self, number: int, side: Side) -> None:
        side.answered.connect(partial(self._answered, number))
        side.chosen.connect(self._light)
        side.keep_requested.connect(partial(self.keep, number))
        side.train_requested.connect(self._go_train)

    def _light(self) -> None:
        self.question.light(can_ask=self._can_ask(), is_asking=self.is_asking)
        self._test.setEnabled("try.question" in self.slots())
        for number, side in enumerate(self.sides):
            side.keep.setEnabled(self._can_keep(number) and not self.is_asking)
            side.target.setEnabled(not side.is_asking)
            side.who.setEnabled(not side.is_asking)
        self.slots_changed.emit()

    def _can_ask(self) -> bool:
        asked = [side.candidate() for side in self.sides]
        return None not in asked and bool(self.question.prompt().question.strip())

    def _can_keep(self, side: int) -> bool:
        answer = self.sides[side].answer
        return (
            self._current >= 0
            and answer is not None
            and answer.can_be_kept
            and not self.session.is_read_only
        )

    def _answered(self, side: int, answer: Answer) -> None:
        if self._current >= 0:
            now = self._exchanges[self._current].with_answer(side, answer)
            self._exchanges[self._current] = now
        self._light()

    def _show_exchange(self, number: int) -> None:
        """Show a question of this session again, with its replies."""
        if self.is_asking:
            self._past.show_past(self._exchanges, self._current)
            return
        self._current = number
        exchange = self._exchanges[number]
        self.question.take(exchange.prompt)
        for side, answer in zip(self.sides, exchange.answers, strict=True):
            if answer is None:
                side.show_nothing()
            else:
                side.choose(answer.candidate)
                side.show_answer(answer)
        self._light()

    def _leave_past(self) -> None:
        """Let the replies go that belong to another question; they stay in the list."""
        self._current = -1
        self._past.show_past(self._exchanges, -1)
        for side in self.sides:
            side.show_nothing()
        self._light()

    def _project_changed(self) -> None:
        self._last_test = None
        if self.is_front:
            self.activated()

    def _show_choices(self, choices: Choices) -> None:
        pair = first_pair(choices.asked)
        if not choices.asked:
            self._show_nobody()
            return
        self.question.offer_systems(choices.prompts)
        for side, preferred in zip(self.sides, pair or (None, None), strict=True):
            if not side.is_asking:
                side.offer(choices.asked, preferred)
        self._take_wanted()
        self._stack.setCurrentIndex(WORK)
        if self.is_front and not (self._is_known and self.has_focus):
            self.question.text.setFocus()
        self._is_known = True
        self._light()

    def _take_wanted(self) -> None:
        """Choose the checkpoint that another page asked for and its base, once both are offered."""
        if not self._wanted or self.is_asking:
            return
        offered = self.sides[RIGHT].offered()
        preferred = next((one for one in offered if one.name == self._wanted), None)
        if preferred is None:
            return
        self._wanted = ""
        partner = next(
            (
                one
                for one in offered
                if (one.target, one.name) == (preferred.target, preferred.partner)
            ),
            None,
        )
        self.sides[RIGHT].choose(preferred)
        if partner is not None:
            self.sides[LEFT].choose(partner)
        self._leave_past()

    def _show_nobody(self) -> None:
        self.empty.set_message(
            self.tr("No model available yet"),
            self.tr(
                "Set up the trainer of this computer, or give the key of a service, on the Train "
                "page. A finished job then stands here beside the base it was tuned from."
            ),
            self.tr("Go to Train"),
        )
        self._is_known = False
        self._stack.setCurrentIndex(EMPTY)
        self._light()
        if self.is_front:
            self.set_initial_focus()

    def _broken(self, error: object) -> None:
        if not self.is_asking:
            self.empty.set_message(
                self.tr("Candidates could not be read"),
                failure_words(error),
                self.tr("Look again"),
            )
            self._is_known = False
            self._stack.setCurrentIndex(EMPTY)
            self._light()

    def _way_out(self) -> None:
        if self.empty.button.text() == self.tr("Look again"):
            self.activated()
        else:
            self._go_train()

    def _go_train(self) -> None:
        self.open_requested.emit(OpenRequest("train"))
