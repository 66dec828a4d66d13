"""Asking one candidate many questions: in parallel within a limit, politely, and stopped at any moment.

Every reply is handed on as soon as it is there. A server that asks to slow down is left alone by all
requests, for as long as it says; one that fails for good ends the work with its sentence.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from curator.dataset.counted import counted
from curator.dataset.errors import Cancelled
from curator.dataset.json_values import Json, dumps, loads
from curator.dataset.progress import CancelledCall
from curator.project.store.values import storable
from curator.tune.evaluation.items import Prompt
from curator.tune.evaluation.politeness import USUAL_PACE, Pace, Politeness, Stopped
from curator.tune.services.client import CallFailed, Connection
from curator.tune.services.sdk_client import build_client

_WHAT: Final = "answering a question"
_LOOK_S: Final = 0.2
_DRAIN_S: Final = 4.0
"""So long replies on their way may still come once the work is stopped: they are paid for."""
_REFUSED: Final = (400, 413, 422)
"""What a server says to one question it does not take; others may go through."""
_HOPELESS: Final = 5
"""When the first so many are all refused, or so many answers in a row are none of the protocol, it is the
request or the server and not the questions."""
_LENGTH: Final = "max_completion_tokens"
_OPTIONAL: Final = ("temperature", "seed", _LENGTH)
"""Settings that some models do not take; they are then asked without."""


@dataclass(frozen=True, slots=True)
class AskSettings:
    """How replies are drawn; None leaves the choice to the server."""

    temperature: float | None = 0.0
    seed: int | None = 7
    max_tokens: int | None = 512

    def to_json(self) -> dict[str, Json]:
        """Return the settings as a JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question on its way: where its reply belongs, and what is sent."""

    position: int
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Came:
    """What came back for a question; error is the server's sentence where it refused this one.

    is_strange says that what came was no answer of the protocol.
    """

    asked: Asked
    message: Mapping[str, Any]
    finish_reason: str
    prompt_tokens: int | None
    reply_tokens: int | None
    seconds: float
    error: str = ""
    is_strange: bool = False


OnReplies = Callable[[Sequence[Came]], None]


def ask_all(
    connection: Connection,
    model: str,
    questions: Sequence[Asked],
    settings: AskSettings,
    *,
    parallel: int,
    on_replies: OnReplies,
    cancelled: CancelledCall,
    pace: Pace = USUAL_PACE,
) -> None:
    """Ask every question once; on_replies takes what came, in the calling thread.

    Raises Cancelled, or CallFailed where going on has no point; whatever came was handed on before.
    """
    connection.client(build_client)  # made once here: the threads share it
    work = _Work(connection, model, settings, Politeness(pace))
    with ThreadPoolExecutor(max(1, parallel), thread_name_prefix="evaluation") as pool:
        try:
            failure = _ask(pool, work, iter(questions), max(1, parallel), on_replies, cancelled)
        finally:
            work.politeness.stop.set()
    work.flush(on_replies)
    if failure is not None:
        raise failure


def _ask(
    pool: ThreadPoolExecutor,
    work: "_Work",
    waiting: Iterator[Asked],
    parallel: int,
    on_replies: OnReplies,
    cancelled: CancelledCall,
) -> Exception | None:
    """Keep the threads busy until all is asked or nothing more should be; returns what ended it early."""
    failure: Exception | None = None
    running: set[Future[Came]] = set()
    ends_at = 0.0
    while True:
        if failure is None and cancelled():
            failure = Cancelled("The evaluation was stopped.")
        if failure is not None and not work.politeness.stop.is_set():
            work.politeness.stop.set()
            ends_at = time.monotonic() + _DRAIN_S
        if not work.politeness.stop.is_set():
            running |= _submit(pool, work, waiting, parallel - len(running))
        if not running:
            return failure
        if work.politeness.stop.is_set() and time.monotonic() > ends_at:
            work.connection.close()
            ends_at = float("inf")
        done, running = wait(running, _LOOK_S, FIRST_COMPLETED)
        found = _hand_on(done, work, on_replies)
        failure = failure or found


def _submit(
    pool: ThreadPoolExecutor, work: "_Work", waiting: Iterator[Asked], free: int
) -> set[Future[Came]]:
    found: set[Future[Came]] = set()
    for _ in range(free):
        question = next(waiting, None)
        if question is None:
            break
        found.add(pool.submit(work.ask, question))
    return found


def _hand_on(done: set[Future[Came]], work: "_Work", on_replies: OnReplies) -> Exception | None:
    """Hand on what came and return the first failure that ends the work."""
    came: list[Came] = []
    failure: Exception | None = None
    for each in done:
        error = each.exception()
        if error is None:
            came.append(each.result())
        elif isinstance(error, Stopped):
            continue
        elif isinstance(error, Exception):
            failure = failure or error
        else:
            raise error
    good = work.sort_out(came)
    if good:
        on_replies(good)
    return failure or work.hopeless()


@dataclass
class _Work:
    """What the threads of one candidate share."""

    connection: Connection
    model: str
    settings: AskSettings
    politeness: Politeness
    _left_out: frozenset[str] = frozenset()
    _answered: bool = False
    _held: list[Came] = field(default_factory=list)

    def sort_out(self, came: Sequence[Came]) -> list[Came]:
        """Return what may be handed on; failures that may be the server's wait for the next reply."""
        if any(not each.error for each in came):
            self._answered = True
            held, self._held = self._held, []
            return [*held, *came]
        held = [each for each in came if each.is_strange or not self._answered]
        self._held += held
        return [each for each in came if each not in held]

    def hopeless(self) -> Exception | None:
        """Return the failure where it is not the questions."""
        if len(self._held) < _HOPELESS:
            return None
        first, self._held = self._held[0], []
        asked = counted(_HOPELESS, "question")
        did = f"answered {asked} with nothing that can be read."
        return CallFailed(
            f"{self.model} {did if first.is_strange else f'refused {asked} whatever they were.'} "
            f"{first.error}",
            outcome="refused",
        )

    def flush(self, on_replies: OnReplies) -> None:
        """Hand on the failures of a run that ends before one can tell."""
        if self._held:
            on_replies(self._held)
            self._held = []

    def ask(self, asked: Asked) -> Came:
        """Ask until there is a reply; raises CallFailed where there will be none, Stopped."""
        failures = 0
        while True:
            self.politeness.wait_for_turn()
            began, before = time.monotonic(), self.politeness.replies
            left_out = self._left_out
            try:
                came = self._reply(asked, left_out, began)
            except CallFailed as error:
                if self.politeness.stop.is_set():
                    raise Stopped from None
                unwanted = self._unwanted(error) - left_out
                if unwanted:
                    self._left_out |= unwanted
                    continue
                # A server that answers others meanwhile is busy, not gone: this one has only to wait.
                is_busy = error.status == 429 and self.politeness.replies > before
                failures = 1 if is_busy else failures + 1
                is_last = failures >= self.politeness.pace.attempts
                strange = error.code == "not_compatible" and is_last
                if error.status in _REFUSED or strange:
                    spent = time.monotonic() - began
                    return Came(asked, {}, "", None, None, spent, str(error), strange)
                if is_last or not _is_worth_another(error):
                    raise
                self.politeness.pause(error, failures)
            else:
                self.politeness.note_reply()
                return came

    def _reply(self, asked: Asked, left_out: frozenset[str], began: float) -> Came:
        from openai.types.chat import ChatCompletion

        def call(sdk: Any) -> object:
            return sdk.chat.completions.create(
                model=self.model,
                messages=_sendable(list(asked.prompt.messages)),
                **self._more(asked, left_out),
            )

        answer = self.connection.call(ChatCompletion, _WHAT, call)
        choices = answer.choices
        if not isinstance(choices, list) or not choices:
            raise self.connection.not_compatible(_WHAT, answer)
        return Came(
            asked,
            _plain(choices[0].message),
            str(choices[0].finish_reason or ""),
            _tokens(answer, "prompt_tokens"),
            _tokens(answer, "completion_tokens"),
            time.monotonic() - began,
        )

    def _more(self, asked: Asked, left_out: frozenset[str]) -> dict[str, Any]:
        named = {
            "temperature": self.settings.temperature,
            "seed": self.settings.seed,
            _LENGTH: self.settings.max_tokens,
            "tools": _sendable(list(asked.prompt.tools)) or None,
        }
        sent = {k: v for k, v in named.items() if v is not None and k not in left_out}
        if _LENGTH in left_out:
            # Its name in older copies of the protocol.
            sent["max_tokens"] = self.settings.max_tokens
        return sent

    @staticmethod
    def _unwanted(error: CallFailed) -> frozenset[str]:
        """Return the optional settings that a server does not take, if that is what it says."""
        if error.status not in _REFUSED:
            return frozenset()
        return frozenset(name for name in _OPTIONAL if name in (error.param or str(error)))


def _sendable(value: Any) -> Any:
    """Return a JSON value whose texts UTF-8 can hold: an unpaired surrogate becomes the replacement sign."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(key)): _sendable(inner) for key, inner in value.items()}
    return [_sendable(inner) for inner in value] if isinstance(value, list) else value


def _is_worth_another(error: CallFailed) -> bool:
    may_pass = error.is_passing or error.is_page or error.code == "not_compatible"
    return may_pass and error.code != "insufficient_quota"


def _tokens(answer: Any, name: str) -> int | None:
    count = getattr(getattr(answer, "usage", None), name, None)
    return count if isinstance(count, int) else None


def _plain(message: Any) -> Mapping[str, Any]:
    """Return a message of the SDK as plain JSON values; one that is none has no words."""
    if message is None or not hasattr(message, "model_dump"):
        return {}
    found = loads(dumps(message.model_dump(mode="json", exclude_none=True, warnings=False)))
    return found if isinstance(found, dict) else {}
