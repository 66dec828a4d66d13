"""What "the same" means: the one module that says which conversations, prompts and answers are equal.

- **Content** is the whole line, whatever its spacing and key order.
- **Prompt** is all that the model has read when it gives its last answer, no less and no more: tool
  definitions, system message, earlier questions and answers, calls with their arguments, tool results,
  images, names. Ids of calls, weights and settings of a request are not read by it.
- **Beginnings** are a conversation cut after each of its answers. One that equals a whole other
  conversation makes the two one group.

Texts are equal after NFC and after runs of white space became one space. Case, width and raised
figures count: 10² is not 102. A hash is the first 8 bytes of a SHA-256 as a signed integer, so that
it fits a database column.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from typing import Final, NamedTuple
from unicodedata import normalize

import numpy as np
import numpy.typing as npt

from curator.dataset import Conversation, Message
from curator.dataset.json_values import (
    BadJson,
    Json,
    canonical,
    canonical_pairs,
    loads,
    repeated_keys,
)

Hashes = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int64]

NO_PROMPT: Final = 0
"""The prompt hash of a conversation in which nothing is asked before its answer."""

_FIRST_8: Final = Struct(">q").unpack_from
_WIDTH: Final = 8
_SPACE: Final = ord(" ")
# Folded texts hold no white space but single plain spaces, so these signs mark what is no text.
_TURN, _END, _MARK = "\f", "\n", "\t"
_ASCII_SPACES: Final = b"\t\n\v\f\r\x1c\x1d\x1e\x1f"
_AS_SPACES: Final = bytes.maketrans(_ASCII_SPACES, b" " * len(_ASCII_SPACES))
# The other white space in UTF-8, by its first byte, which is found as fast as memory can be read.
_WIDE_SPACES: Final = (
    (b"\xc2", re.compile(rb"\xc2[\x85\xa0]")),
    (b"\xe1", re.compile(rb"\xe1\x9a\x80")),
    (b"\xe2", re.compile(rb"\xe2(?:\x80[\x80-\x8a\xa8\xa9\xaf]|\x81\x9f)")),
    (b"\xe3", re.compile(rb"\xe3\x80\x80")),
)


def hash_bytes(data: bytes | memoryview) -> int:
    """Return the signed 64-bit hash of some bytes."""
    value: int = _FIRST_8(sha256(data).digest())[0]
    return value


def hash_text(text: str) -> int:
    """Return the signed 64-bit hash of a text; lone surrogates keep their own bytes."""
    return hash_bytes(text.encode("utf-8", "surrogatepass"))


def hash_all(pieces: Iterable[bytes | memoryview]) -> Hashes:
    """Return the signed 64-bit hash of each piece."""
    digests = b"".join([sha256(piece).digest() for piece in pieces])
    return np.frombuffer(digests, ">i8")[::4].astype(np.int64)


def normalise(text: str) -> str:
    """Return the text in the form that equal texts share: NFC, single spaces."""
    return _with_single_spaces(text if text.isascii() else normalize("NFC", text))


def _with_single_spaces(text: str) -> str:
    # The only white space that is printable is the plain space.
    if text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(text.split())


def normalise_all(texts: Sequence[str]) -> list[bytes]:
    """Return the normalised form of each text as UTF-8; none may hold a lone surrogate."""
    composed = [t.encode() if t.isascii() else normalize("NFC", t).encode() for t in texts]
    data = b"\0".join([b"", *composed, b""]).translate(_AS_SPACES)
    for first, pattern in _WIDE_SPACES:
        if first in data:
            data = pattern.sub(b" ", data)
    pieces = _single_spaced(data).split(b"\0")[1:-1]
    # A zero in a text parts it.
    return pieces if len(pieces) == len(texts) else [normalise(text).encode() for text in texts]


def _single_spaced(data: bytes) -> bytes:
    """Return zeros and what stands between them, each piece without a space too many."""
    codes = np.frombuffer(data, np.uint8)
    spaces = codes == _SPACE
    # Of a run of spaces the first stays, and none behind a zero.
    kept = np.ones(len(codes), np.bool_)
    kept[1:] = ~(spaces[1:] & (spaces[:-1] | (codes[:-1] == 0)))
    if not kept.all():
        data = codes[kept].tobytes()
    return data.replace(b" \0", b"\0")


def content_hash(conversation: Conversation) -> int:
    """Return the hash that equal conversations share, whatever their spacing and key order."""
    return hash_text(conversation.canonical())


def content_hash_of(line: str) -> int:
    """Return the hash of a line in which a key has two values: both count, so it equals no other line."""
    return hash_text(canonical_pairs(line))


def system_hash(conversation: Conversation) -> int:
    """Return the hash of the system prompt; 0 where there is none."""
    text = conversation.system_prompt
    return hash_text(text) if text else 0


class Read(NamedTuple):
    """What was read before the last answer, and every beginning that ends with an answer.

    beginnings holds 8 bytes for each answer to something asked, in order; the last stands for the
    conversation up to its last answer.
    """

    prompt: int
    beginnings: bytes


class Shape(NamedTuple):
    """A sequence of roles as patterns into which the folded texts of its messages are put.

    steps has for each answer but the last the pattern of all since the answer before it, where that
    begins and ends, and whether anything was asked before. before is the pattern of what stands
    between that and the last answer, from place first on; answer is the pattern of the last answer at
    place last. Without an answer, before is the pattern of all and answer is empty.
    """

    steps: tuple[tuple[bytes, int, int, bool], ...]
    before: bytes
    first: int
    last: int
    answer: bytes
    asks: bool


def shape_of(roles: Sequence[str]) -> Shape:
    """Return the shape of plain messages, of which each holds one text that is not empty."""
    patterns = [_turn(role).replace("%", "%%").encode() + b"%b\n" for role in roles]
    answers = [at for at, role in enumerate(roles) if role == "assistant"]
    asked = [_role(role) != "system" for role in roles]
    steps: list[tuple[bytes, int, int, bool]] = []
    first = 0
    for at in answers[:-1]:
        steps.append((b"".join(patterns[first : at + 1]), first, at + 1, any(asked[:at])))
        first = at + 1
    last = answers[-1] if answers else len(roles)
    return Shape(
        tuple(steps),
        b"".join(patterns[first:last]),
        first,
        last,
        patterns[last] if answers else b"",
        any(asked[:last]),
    )


def read_plain(shape: Shape, pieces: Sequence[bytes]) -> Read:
    """Return what is read of plain messages; pieces are their folded texts."""
    steps, before, first, last, answer, asks = shape
    if not asks:
        return Read(NO_PROMPT, b"")
    chain = sha256()
    beginnings = b""
    for pattern, begin, end, asked in steps:
        chain.update(pattern % tuple(pieces[begin:end]))
        if asked:
            beginnings += chain.digest()[:_WIDTH]
    chain.update(before % tuple(pieces[first:last]))
    prompt: int = _FIRST_8(chain.digest())[0]
    if answer:
        chain.update(answer % pieces[last])
        beginnings += chain.digest()[:_WIDTH]
    return Read(prompt, beginnings)


def read(conversation: Conversation) -> Read:
    """Return what is read of any conversation."""
    messages = conversation.messages
    turns = list(_turns(messages))
    last = max((i for i, m in enumerate(messages) if m.role == "assistant"), default=-1)
    definitions = "".join(_marked("tool", tool) + _END for tool in tool_definitions(conversation))
    chain = sha256(definitions.encode("utf-8", "surrogatepass"))
    asked, prompt, beginnings = False, NO_PROMPT, b""
    for at, (message, items) in enumerate(zip(messages, turns, strict=True)):
        if at == last and asked:
            prompt = _FIRST_8(chain.digest())[0]
        chain.update((_turn(message.role) + items).encode("utf-8", "surrogatepass"))
        if message.role == "assistant" and asked:
            beginnings += chain.digest()[:_WIDTH]
        asked |= bool(items) and _role(message.role) != "system"
    if last < 0 and asked:
        prompt = _FIRST_8(chain.digest())[0]
    return Read(prompt, beginnings)


def prompt_hash(conversation: Conversation) -> int:
    """Return the hash of all that was read before the last answer; NO_PROMPT where nothing was asked."""
    return read(conversation).prompt


def answer_hash(conversation: Conversation) -> int:
    """Return the hash of the last answer with its calls; 0 where there is none."""
    messages = conversation.messages
    spoken = [
        items
        for message, items in zip(messages, _turns(messages), strict=True)
        if message.role == "assistant"
    ]
    return hash_text(spoken[-1]) if spoken and spoken[-1] else 0


def _role(role: str) -> str:
    # Services read both as instructions of the same rank.
    return "system" if role == "developer" else normalise(role)


def _turn(role: str) -> str:
    return f"{_TURN}{_role(role)}{_END}"


def _turns(messages: Sequence[Message]) -> Iterator[str]:
    """Yield what the model reads of each message besides its role; empty where it holds nothing."""
    places: dict[str, int] = {}
    calls = 0
    for message in messages:
        items = [item for item in _items(message, places) if item]
        yield "".join(item + _END for item in items)
        for call in message.tool_calls:
            places[call.id] = calls
            calls += 1


def _items(message: Message, places: dict[str, int]) -> Iterator[str]:
    fields = message.fields
    if fields.get("name"):
        yield _marked("name", fields["name"])
    if fields.get("tool_call_id"):
        # Ids are drawn anew wherever a conversation is recorded; which call is answered is what counts.
        answered = fields["tool_call_id"]
        yield _marked("answers", places.get(answered, answered) if _is_text(answered) else answered)
    yield from content_items(message)
    if fields.get("refusal"):
        yield _marked("refusal", fields["refusal"])
    yield from call_items(message)


def content_items(message: Message) -> Iterator[str]:
    """Yield the folded texts, and the other parts marked by their kind, in their order."""
    content = message.content
    if not isinstance(content, list):
        yield normalise(content) if isinstance(content, str) else _marked("content", content)
        return
    texts: list[str] = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text" and _is_text(part.get("text")):
            texts.append(part["text"])
            continue
        yield normalise("\n".join(texts))
        texts.clear()
        yield _part(kind, part)
    yield normalise("\n".join(texts))


def _part(kind: Json, part: Json) -> str:
    if kind == "image_url":
        image = part.get("image_url")
        address = image.get("url") if isinstance(image, dict) else image
        return _marked("image", address if address else part)
    if kind == "refusal":
        return _marked("refusal", part.get("refusal"))
    return _marked("part", part)


def call_items(message: Message) -> Iterator[str]:
    """Yield the calls of a message: name and arguments, without the id."""
    for call in message.tool_calls:
        yield _marked("call", call.name or call.fields, _arguments(call.arguments))
    legacy = message.fields.get("function_call")
    if isinstance(legacy, dict):
        yield _marked("call", legacy.get("name"), _arguments(legacy.get("arguments")))


def _arguments(arguments: Json) -> str:
    """Write arguments as the value they mean, so that their spacing and order of keys do not count."""
    if not isinstance(arguments, str):
        return canonical(arguments)
    try:
        value = loads(arguments)
    except BadJson:
        return arguments
    # Where a key stands twice the value would hide one of the two.
    return arguments if repeated_keys(arguments) else canonical(value)


def tool_definitions(conversation: Conversation) -> list[str]:
    """Return the tool definitions as JSON, in an order of their own: a list of tools is a set."""
    fields = conversation.fields
    found: list[Json] = []
    for key in ("tools", "functions"):
        tools = fields.get(key)
        found += tools if isinstance(tools, list) else [tools] if tools else []
    inner = [t["function"] if isinstance(t, dict) and t.get("function") else t for t in found]
    return sorted(normalise(canonical(tool)) for tool in inner)


def marked(item: str) -> bool:
    """Return whether an item is anything but text."""
    return item.startswith(_MARK)


def _marked(kind: str, *values: Json) -> str:
    """Return what is no text on a line of its own; nothing where there is nothing."""
    if all(value is None for value in values):
        return ""
    shown = (normalise(v) if isinstance(v, str) else normalise(canonical(v)) for v in values)
    return f"{_MARK}{kind}{_MARK}" + _MARK.join(shown)


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


@dataclass(frozen=True, slots=True)
class Beginnings:
    """The beginnings of many rows: that of all up to the last answer (0 for none), and the shorter ones."""

    whole: Ints
    shorter: Ints
    owner: Ints
    """The row of each of shorter."""

    @classmethod
    def unpack(cls, packed: Sequence[bytes]) -> "Beginnings":
        """Read the beginnings of rows as Read gives them."""
        counts = np.fromiter(map(len, packed), np.int64, len(packed)) // _WIDTH
        hashes = np.frombuffer(b"".join(packed), ">i8").astype(np.int64)
        ends = np.cumsum(counts)
        whole = np.zeros(len(packed), np.int64)
        whole[counts > 0] = hashes[ends[counts > 0] - 1]
        is_shorter = np.ones(len(hashes), np.bool_)
        is_shorter[ends[counts > 0] - 1] = False
        owner = np.repeat(np.arange(len(packed), dtype=np.int64), counts)
        return cls(whole, hashes[is_shorter], owner[is_shorter])


@dataclass(frozen=True, slots=True)
class Sameness:
    """What ties rows together, one value each: equal contents, equal prompts, a beginning of another."""

    content_hash: Ints
    prompt_hash: Ints
    beginnings: Beginnings

    def links(self, use: npt.NDArray[np.bool_]) -> list[tuple[str, Ints, Ints]]:
        """Return by kind which of the rows in use are tied to which: each to the first of its equals."""
        asked = use & (self.prompt_hash != NO_PROMPT)
        return [
            ("copies", *equal_rows(self.content_hash, use)),
            ("prompt", *equal_rows(self.prompt_hash, asked)),
            ("beginning", *self._beginnings(asked)),
        ]

    def _beginnings(self, use: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
        """Tie each row to the first row that equals a beginning of it."""
        begun = self.beginnings
        rows, firsts = equal_rows(begun.whole, use & (begun.whole != 0))
        if not len(rows):
            return rows, rows
        wholes, first = np.unique(begun.whole[rows], return_index=True)
        at = np.minimum(np.searchsorted(wholes, begun.shorter), len(wholes) - 1)
        tied = (wholes[at] == begun.shorter) & use[begun.owner]
        left = np.concatenate([rows, begun.owner[tied]])
        return left, np.concatenate([firsts, rows[first[at[tied]]]])


def equal_rows(values: Ints, use: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return the rows in use, and for each the first row with the same value."""
    rows = np.flatnonzero(use)
    _, first, inverse = np.unique(values[rows], return_index=True, return_inverse=True)
    return rows, rows[first][inverse] if len(rows) else rows
