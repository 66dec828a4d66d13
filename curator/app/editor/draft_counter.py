"""The counting side of the editor: tokens of the draft for the project's base model, and their cost."""

import time
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from curator.app.editor.own_base_counter import OwnBaseCounter, counting_frame
from curator.app.session.background import Job, Jobs
from curator.app.session.session import Session
from curator.app.timers import single_shot
from curator.dataset import Conversation, Message, SettingPatch
from curator.dataset.codes import DEFAULT_BASE_MODEL, DEFAULT_RULES_PROFILE
from curator.dataset.edit import Edit
from curator.dataset.json_values import Json
from curator.dataset.progress import CancelledCall, ProgressCall

if TYPE_CHECKING:
    from curator.curate.analysis.tokens import BaseModelFacts, Counter, TokenCount
    from curator.tune.jobs.base_counts import Frame

OFFERED: Final = (
    *(DEFAULT_BASE_MODEL, "gpt-4.1", "gpt-4.1-nano", "gpt-4o", "gpt-4o-mini"),
    *("gpt-3.5-turbo", "gpt-oss-20b"),
)
"""Base models to choose from; any other name can be typed."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How long a draft is against what the base model reads."""

    count: "TokenCount"
    limit: int
    base_model: str

    @property
    def cut(self) -> int | None:
        """The message above which the cut line stands, or None where all is read."""
        if self.count.total <= self.limit:
            return None
        total = 0
        for number, tokens in enumerate(self.count.per_message):
            total += tokens
            if total > self.limit:
                return number
        return None


class Tally:
    """Counts a conversation again and again, each time only the messages that are other objects."""

    SLICE_SECONDS: Final = 0.003

    def __init__(self) -> None:
        self._counter: Counter | None = None
        self._parts: list[tuple[Json, TokenCount]] = []

    def count_some(self, draft: Conversation, counter: "Counter") -> bool:
        """Count some of the messages beforehand; returns whether any is left."""
        from curator.curate.analysis.tokens import count_conversation

        if counter is not self._counter:
            self._counter, self._parts = counter, []
        known = {id(part) for part, _ in self._parts}
        began = time.perf_counter()
        for message in draft.fields.get("messages", ()):
            if id(message) not in known:
                if time.perf_counter() - began > self.SLICE_SECONDS:
                    return True
                count = count_conversation(Conversation({"messages": [message]}), counter)
                self._parts.append((message, count))
        return False

    def count(self, draft: Conversation, counter: "Counter") -> "TokenCount":
        """Return what curate.tokens.count_conversation returns."""
        from curator.curate.analysis.tokens import (
            TOKENS_PER_CONVERSATION,
            TokenCount,
            count_conversation,
        )

        if counter is not self._counter:
            self._counter, self._parts = counter, []
        known = {id(part): count for part, count in self._parts}
        messages = draft.fields.get("messages", ())
        rest = {key: value for key, value in draft.fields.items() if key != "messages"}
        parts: list[tuple[Json, TokenCount]] = []
        for message in messages:
            count = known.get(id(message))
            if count is None:
                count = count_conversation(Conversation({"messages": [message]}), counter)
            parts.append((message, count))
        self._parts = parts
        tools = count_conversation(Conversation({**rest, "messages": []}), counter)
        own = tuple(count.total - TOKENS_PER_CONVERSATION for _, count in parts)
        return TokenCount(
            sum(own) + tools.total,
            sum(count.trained for _, count in parts),
            own,
            tools.exact and all(count.exact for _, count in parts),
        )


class DraftCounter(QObject):
    """Counts drafts; ready follows once the vocabulary is loaded, counted what count_ahead began."""

    ready = Signal()
    counted = Signal()

    def __init__(self, session: Session, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._jobs = jobs
        self._loading: Job[tuple[str, str, Frame | None]] | None = None
        self._own: OwnBaseCounter | None = None
        self._loaded_for = ""
        self._counter: Counter | None = None
        self._tally = Tally()
        self.facts: BaseModelFacts | None = None
        self._ahead: Conversation | None = None
        self._turn = single_shot(self, 0, self._count_some)

    @property
    def base_model(self) -> str:
        """The project's base model by name."""
        return str(self._session.setting("base_model", DEFAULT_BASE_MODEL) or DEFAULT_BASE_MODEL)

    @property
    def profile(self) -> str:
        """The rules profile the project is checked for."""
        return str(
            self._session.setting("rules_profile", DEFAULT_RULES_PROFILE) or DEFAULT_RULES_PROFILE
        )

    def load(self) -> None:
        """Make the counter of the base model ready, off the GUI thread; ready follows."""
        from curator.curate.analysis.tokens import counter, resolve_base_model

        self.facts = resolve_base_model(self.base_model)
        encoding, limit, profile = self.facts.encoding, self.facts.context_limit, self.profile
        name, is_known = self.base_model, self.facts.known
        if is_known or self._loaded_for != name:
            self._own = None
        there = self._counter is not None and self._counter.encoding == encoding
        if there and (is_known or self._loaded_for == name):
            self._take_frame()
            self.ready.emit()
            return
        if self._loading is not None and not self._loading.is_over:
            return

        def work(
            _progress: ProgressCall, _cancelled: CancelledCall
        ) -> "tuple[str, str, Frame | None]":
            from curator.curate.analysis.kernel import analyse_conversation

            counter(encoding).accelerate()
            # The first edit would otherwise wait for these to load, and typing with it: numpy.unique
            # loads numpy.ma when it is first called.
            import_module("numpy.ma")
            warm = Conversation.of([Message.of("user", "warm up")])
            for raw in (None, warm.to_json()):
                analyse_conversation(warm, encoding=encoding, profile=profile, limit=limit, raw=raw)
            return encoding, name, None if is_known else counting_frame(name)

        self._loading = self._jobs.start(self.tr("Loading the vocabulary"), work)
        self._loading.succeeded.connect(self._loaded)

    def count_ahead(self, draft: Conversation) -> None:
        """Count the messages of a long draft over some turns of the event loop; counted follows."""
        self._ahead = draft
        self._turn.start(0)

    def _count_some(self) -> None:
        draft = self._ahead
        if draft is None:
            return
        if self._counter is not None and self._tally.count_some(draft, self._counter):
            self._turn.start(0)
            return
        self._ahead = None
        self.counted.emit()

    def measure(self, draft: Conversation) -> Measure | None:
        """Count a draft; None until the vocabulary is there."""
        if self._counter is None or self.facts is None:
            return None
        if self._own is not None:
            return Measure(self._own.count(draft), self._own.frame.limit, self._own.frame.name)
        count = self._tally.count(draft, self._counter)
        return Measure(count, self.facts.context_limit, self.facts.name)

    def cut_in(self, measure: Measure, text: str) -> int:
        """Return after which character of the message at the cut the base model stops reading."""
        if self._counter is None or measure.cut is None:
            return len(text)
        count = self._counter.count if self._own is None else self._own.frame.count
        own = measure.count.per_message[measure.cut]
        room = measure.limit - sum(measure.count.per_message[: measure.cut])
        # What the message costs beside its text (role, name) is read before it.
        room -= max(0, own - count(text))
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if count(text[:middle]) <= room:
                low = middle
            else:
                high = middle - 1
        return low

    def choose(self, name: str) -> None:
        """Make another base model the project's."""
        # A project that never chose has the default, and leaving that as it is is no choice either.
        if name and name != self.base_model:
            patch = SettingPatch("base_model", self._session.setting("base_model"), name)
            title = self.tr("Base model: {0}").format(name)
            self._session.push(Edit(title, self._session.author, (patch,)))
            self.load()

    def _loaded(self, loaded: "tuple[str, str, Frame | None]") -> None:
        from curator.curate.analysis.tokens import counter

        encoding, name, frame = loaded
        self._counter = counter(encoding)
        self._loading = None
        self._loaded_for, self._own = name, None if frame is None else OwnBaseCounter(frame)
        if self.facts is None or self.facts.encoding != encoding or self.base_model != name:
            self.load()
            return
        self._take_frame()
        self.ready.emit()

    def _take_frame(self) -> None:
        """A base of this computer that can be counted is no unknown base model."""
        if self._own is not None and self.facts is not None:
            limit = self._own.frame.limit
            self.facts = replace(self.facts, context_limit=limit, known=True, note="")
