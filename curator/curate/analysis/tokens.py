"""Token counts: of a text, of a conversation, and which encoding a base model means.

A count always equals tiktoken's. The conversation formula is the one of OpenAI's published
preparation notebook: 3 for each message, every text value, 1 more for a name, 3 for the whole.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Final, Literal

from curator.curate.analysis.encodings import (
    VOCABULARIES,
    CountText,
    CountTexts,
    Engine,
    fast_engine,
    tiktoken_engine,
)
from curator.dataset import Conversation, Message
from curator.dataset.errors import WrongUse
from curator.dataset.json_values import Json, dumps
from curator.dataset.resources import resource

ENCODINGS: Final = ("o200k_base", "cl100k_base", "o200k_harmony")
"""The encodings that can be counted, the usual one first."""

TOKENS_PER_MESSAGE: Final = 3
TOKENS_PER_NAME: Final = 1
TOKENS_PER_CONVERSATION: Final = 3
TOKENS_PER_SMALL_IMAGE: Final = 85
TOKENS_PER_IMAGE: Final = 765
"""What an image of 1024 x 1024 costs at high detail; a guess for every other size."""

_PLAIN_KEYS: Final = frozenset({"role", "content", "name", "weight"})
_SNAPSHOT: Final = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4})$")


@dataclass(frozen=True, slots=True)
class BaseModelFacts:
    """What training needs to know of a base model; note says in a sentence what was guessed."""

    name: str
    encoding: str
    context_limit: int
    known: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class TokenCount:
    """The tokens of one conversation; exact is False where tools, calls or parts make it an estimate."""

    total: int
    trained: int
    per_message: tuple[int, ...]
    exact: bool


class Counter:
    """Counts tokens of one encoding; starts on tiktoken, which loads fast, and can move to fastokens.

    `accelerate` takes about a second of CPU (once in a process); call it off the GUI thread. Threads
    may share one.
    """

    def __init__(self, encoding: str) -> None:
        if encoding not in VOCABULARIES:
            raise WrongUse(
                f"There is no encoding {encoding}; choose one of {', '.join(ENCODINGS)}."
            )
        self.encoding = encoding
        self._loaded: Engine | None = None
        self._name: Literal["tiktoken", "fastokens"] = "tiktoken"
        self._trusted = True
        # An engine that was found wrong must not come back from a thread that was still loading it.
        self._choosing = Lock()

    @property
    def engine(self) -> Literal["tiktoken", "fastokens"]:
        """The engine that counts now."""
        return self._name

    @property
    def count(self) -> CountText:
        """The function that counts one text; take it once before a loop."""
        return self._engine().count

    @property
    def count_clean(self) -> CountTexts:
        """The function that counts many texts, none of which holds a lone surrogate."""
        return self._engine().count_clean

    def accelerate(self) -> bool:
        """Move to fastokens if it proves itself on the golden file; return whether it counts now."""
        if self._name != "fastokens" and self._trusted:
            fast = fast_engine(self.encoding)
            with self._choosing:
                if fast is None:
                    self._trusted = False
                elif self._trusted:
                    self._loaded, self._name = fast, "fastokens"
        return self._name == "fastokens"

    def _engine(self) -> Engine:
        if self._loaded is None:
            self._loaded = tiktoken_engine(self.encoding)
        return self._loaded

    def distrust(self) -> None:
        """Count with tiktoken from here on."""
        with self._choosing:
            self._trusted = False
            self._loaded, self._name = tiktoken_engine(self.encoding), "tiktoken"


@cache
def counter(encoding: str) -> Counter:
    """Return the counter of an encoding that this process shares; raises WrongUse for an unknown name."""
    return Counter(encoding)


def count_conversation(conversation: Conversation, counter: Counter) -> TokenCount:
    """Count one conversation by the notebook's formula; tools, calls and parts are an estimate."""
    count = counter.count
    messages = conversation.messages
    roles: dict[str, int] = {}
    said = [_content_tokens(message.content, count) for message in messages]
    calls = [_calls_tokens(message.fields, count) for message in messages]
    per_message = tuple(
        TOKENS_PER_MESSAGE + content + called + _other_tokens(message.fields, count, roles)
        for message, content, called in zip(messages, said, calls, strict=True)
    )
    extra = sum(
        count(dumps(value))
        for key, value in conversation.fields.items()
        if key in ("tools", "functions") and value
    )
    trained = sum(said[i] + calls[i] for i, message in enumerate(messages) if message.is_trained)
    exact = not extra and all(map(_is_plain, messages))
    total = sum(per_message) + TOKENS_PER_CONVERSATION + extra
    return TokenCount(total, trained, per_message, exact)


def _is_plain(message: Message) -> bool:
    fields = message.fields
    return _PLAIN_KEYS.issuperset(fields) and all(
        isinstance(value, str) for key, value in fields.items() if key != "weight"
    )


def _content_tokens(content: Json, count: CountText) -> int:
    if isinstance(content, str):
        return count(content)
    if isinstance(content, list):
        return sum(_part_tokens(part, count) for part in content)
    return 0


def _other_tokens(fields: Mapping[str, Json], count: CountText, known: dict[str, int]) -> int:
    """Count every text value besides the content; roles repeat, so their counts are kept in known."""
    total = TOKENS_PER_NAME if isinstance(fields.get("name"), str) else 0
    for key, value in fields.items():
        if key == "content" or not isinstance(value, str):
            continue
        if key != "role":
            total += count(value)
            continue
        if value not in known:
            known[value] = count(value)
        total += known[value]
    return total


def _part_tokens(part: Json, count: CountText) -> int:
    if isinstance(part, str):
        return count(part)
    if not isinstance(part, dict):
        return 0
    if part.get("type") == "image_url":
        image = part.get("image_url")
        low = isinstance(image, dict) and image.get("detail") == "low"
        return TOKENS_PER_SMALL_IMAGE if low else TOKENS_PER_IMAGE
    return sum(count(v) for k, v in part.items() if k != "type" and isinstance(v, str))


def _calls_tokens(fields: Mapping[str, Json], count: CountText) -> int:
    """Estimate what tool calls cost: the name and the arguments of each, as written."""
    total = 0
    for key in ("tool_calls", "function_call"):
        calls = fields.get(key)
        if calls is None:
            continue
        for call in calls if isinstance(calls, list) else [calls]:
            function = call.get("function", call) if isinstance(call, dict) else None
            if isinstance(function, dict):
                total += sum(
                    count(value if isinstance(value, str) else dumps(value))
                    for name, value in function.items()
                    if name in ("name", "arguments") and value is not None
                )
    return total


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str, int], ...]:
    facts = _base_models()
    return tuple(
        (re.compile(p["match"]), p["encoding"], p["context_limit"]) for p in facts["patterns"]
    )


@cache
def _base_models() -> dict[str, Json]:
    facts: dict[str, Json] = json.loads(
        resource("encodings", "base_models.json").read_text("utf-8")
    )
    return facts


def resolve_base_model(name: str) -> BaseModelFacts:
    """Return the encoding and context limit of a base or fine-tuned model name; never raises."""
    base = name.strip().lower()
    if base.startswith("ft:"):
        base = base.removeprefix("ft:").split(":", 1)[0]
    base = base.rsplit("/", 1)[-1]
    if ":" in base:
        base = base.split(":", 1)[0]
    for pattern, encoding, limit in _patterns():
        if pattern.fullmatch(base):
            return BaseModelFacts(_SNAPSHOT.sub("", base), encoding, limit, known=True)
    unknown = _base_models()["unknown"]
    encoding, limit = unknown["encoding"], unknown["context_limit"]
    shown = name.strip() or "An empty name"
    note = (
        f"{shown} is not a base model this program knows: tokens are counted with {encoding} and "
        f"the limit is taken to be {limit:,}, so both are estimates."
    )
    return BaseModelFacts(base or name, encoding, limit, known=False, note=note)
