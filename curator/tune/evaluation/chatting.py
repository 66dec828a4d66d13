"""One question to one candidate, its reply streamed: every piece as it comes, every failure one sentence."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from curator.dataset.errors import Cancelled
from curator.dataset.progress import CancelledCall, never_cancelled
from curator.tune.evaluation.prompt_variants import as_asked
from curator.tune.redaction import PiecewiseRedactor
from curator.tune.services.client import CallFailed, Connection

if TYPE_CHECKING:
    from openai import OpenAI

OnText = Callable[[str], object]

_WHAT: Final = "answering a question"


@dataclass(frozen=True, slots=True)
class Question:
    """What a candidate is asked, and how it may answer; None leaves the choice to the server."""

    candidate: str
    messages: tuple[Mapping[str, Any], ...]
    temperature: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What a candidate said, why it ended, and how fast it came.

    tokens is the server's own count where it sends one, else the number of pieces that came, which
    most servers cut at tokens; seconds runs from the question, first_s to the first piece.
    """

    candidate: str
    text: str
    finish_reason: str
    tokens: int
    seconds: float
    first_s: float

    @property
    def tokens_per_second(self) -> float:
        """How fast the tokens came once the first was there; 0 where there is nothing to measure."""
        spent = self.seconds - self.first_s
        return (self.tokens - 1) / spent if self.tokens > 1 and spent > 0 else 0.0


def ask(
    connection: Connection,
    question: Question,
    *,
    on_text: OnText = lambda _: None,
    cancelled: CancelledCall = never_cancelled,
) -> Reply:
    """Ask and return the whole reply; on_text gets every piece as it comes.

    Raises CallFailed for whatever goes wrong, also where the stream ends before the reply does, and
    Cancelled between two pieces.
    """

    def read(sdk: "OpenAI") -> object:
        return _read(connection, sdk, question, on_text, cancelled)

    return connection.call(Reply, _WHAT, read)


def _read(
    connection: Connection,
    sdk: "OpenAI",
    question: Question,
    on_text: OnText,
    cancelled: CancelledCall,
) -> Reply:
    import openai

    began = time.monotonic()
    partial = _PartialReply(connection.piecewise(), on_text)
    more: dict[str, Any] = {}
    if question.temperature is not None:
        more["temperature"] = question.temperature
    if question.max_tokens is not None:
        more["max_completion_tokens"] = question.max_tokens
    name, sent = as_asked(question.candidate, question.messages)
    messages: Any = list(sent)
    stream = sdk.chat.completions.create(model=name, messages=messages, stream=True, **more)
    with stream:
        if "text/html" in stream.response.headers.get("content-type", ""):
            raise connection.not_compatible(_WHAT, "<html>")
        try:
            for chunk in stream:
                if cancelled():
                    raise Cancelled("The reply was stopped.")
                partial.take(chunk, time.monotonic() - began)
        except openai.APIError as error:
            if type(error) is not openai.APIError:
                raise
            # An error object in the middle of a stream: the server itself says what went wrong.
            said = connection.clear(str(error.message))[:400]
            raise CallFailed(
                f'{connection.target.label} broke off its answer. It says: "{said}"',
                outcome="unclear",
                code="stream_error",
            ) from None
        finally:
            partial.flush()
    return partial.reply(connection, question.candidate, time.monotonic() - began)


class _PartialReply:
    """What came of a reply so far; every field of a chunk may be missing or odd."""

    def __init__(self, redactor: PiecewiseRedactor, on_text: OnText) -> None:
        self._redactor = redactor
        self._on_text = on_text
        self._pieces: list[str] = []
        self._finish = ""
        self._counted: int | None = None
        self._chunks = 0
        self._first_s = 0.0

    def take(self, chunk: Any, now: float) -> None:
        """Take one chunk of the stream."""
        used = getattr(getattr(chunk, "usage", None), "completion_tokens", None)
        if isinstance(used, int):
            self._counted = used
        choices = getattr(chunk, "choices", None)
        if not isinstance(choices, list):
            return
        self._chunks += 1
        for choice in choices[:1]:
            text = getattr(getattr(choice, "delta", None), "content", None)
            if isinstance(text, str) and text:
                self._first_s = self._first_s if self._pieces else now
                self._pieces.append(text)
                self._show(self._redactor.take(text))
            reason = getattr(choice, "finish_reason", None)
            if isinstance(reason, str):
                self._finish = reason

    def flush(self) -> None:
        """Show what was held back, now that nothing more comes."""
        self._show(self._redactor.rest())

    def _show(self, text: str) -> None:
        if text:
            self._on_text(text)

    def reply(self, connection: Connection, candidate: str, seconds: float) -> Reply:
        """Return the reply; raises CallFailed where nothing came or the end is missing."""
        if not self._chunks:
            raise connection.not_compatible(_WHAT, None)
        if not self._finish:
            raise CallFailed(
                f"The connection to {connection.target.label} broke in the middle of the answer. "
                "Ask again; what came so far is only a part.",
                outcome="unclear",
                code="connection_lost",
            )
        tokens = len(self._pieces) if self._counted is None else self._counted
        return Reply(candidate, "".join(self._pieces), self._finish, tokens, seconds, self._first_s)
