"""What an evaluation asks: what the model reads before the last answer, and that answer as demonstrated."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from curator.dataset.errors import Cancelled
from curator.dataset.json_values import BadJson, Json, canonical, loads
from curator.dataset.progress import CancelledCall, never_cancelled
from curator.dataset.record import Record
from curator.project.store.reader import Reader

NO_ANSWER: Final = "no answer of the assistant"
NO_PROMPT: Final = "nothing is said before the answer"
DAMAGED: Final = "damaged in the project file"
NO_LABEL: Final = "no label in the label set"

_NOT_SENT: Final = ("weight",)
"""What training reads of a message and no chat endpoint takes."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is read before a reply: messages and tools, as they are sent."""

    messages: tuple[Mapping[str, Any], ...]
    tools: tuple[Any, ...] = ()

    @property
    def text(self) -> str:
        """The prompt as canonical JSON."""
        return canonical({"messages": list(self.messages), "tools": list(self.tools)})

    @classmethod
    def parse(cls, text: str) -> "Prompt":
        """Read what text gave."""
        value = loads(text)
        return cls(tuple(value["messages"]), tuple(value["tools"]))


@dataclass(frozen=True, slots=True)
class Item:
    """One question: whose, its prompt, the message that is demonstrated, and its label if it has one."""

    conversation: int
    prompt: Prompt
    expected: Mapping[str, Any]
    label: str | None = None

    @property
    def expected_text(self) -> str:
        """The words of the demonstrated answer."""
        return message_text(self.expected)


def prompt_hash(text: str) -> bytes:
    """Return what a prompt is known by."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def message_text(message: Mapping[str, Any]) -> str:
    """Return the words of a message: its string, or its text parts joined by newlines."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    texts = (p.get("text") for p in parts if isinstance(p, dict) and p.get("type") == "text")
    return "\n".join(text for text in texts if isinstance(text, str))


def refusal_of(message: Mapping[str, Any]) -> str:
    """Return the words of a refusal that a service marks as one; empty where there is none."""
    refusal = message.get("refusal")
    return refusal if isinstance(refusal, str) and not message_text(message).strip() else ""


def item_of(conversation: int, fields: Mapping[str, Any], label: str | None = None) -> Item | str:
    """Return the question that a conversation asks, or why it asks none."""
    messages = [m for m in fields.get("messages") or () if isinstance(m, dict)]
    last = next((at for at in reversed(range(len(messages))) if _answers(messages[at])), None)
    if last is None:
        return NO_ANSWER
    if last == 0:
        return NO_PROMPT
    asked = tuple({k: v for k, v in m.items() if k not in _NOT_SENT} for m in messages[:last])
    expected = {k: v for k, v in messages[last].items() if k not in _NOT_SENT}
    return Item(conversation, Prompt(asked, _tools(fields)), expected, label)


def _answers(message: Mapping[str, Any]) -> bool:
    said = ("tool_calls", "function_call", "refusal")
    return message.get("role") == "assistant" and bool(
        message_text(message) or any(message.get(key) for key in said)
    )


def _tools(fields: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the tools of a line; functions of the older protocol are tools of today's."""
    tools, functions = fields.get("tools"), fields.get("functions")
    if isinstance(tools, list) and tools:
        return tuple(tools)
    older = functions if isinstance(functions, list) else ()
    return tuple({"type": "function", "function": each} for each in older)


def read_items(
    reader: Reader,
    ids: Sequence[int],
    *,
    labels: Mapping[int, str] | None = None,
    cancelled: CancelledCall = never_cancelled,
) -> tuple[tuple[Item, ...], dict[str, int]]:
    """Return the questions of conversations in order, and how many were left out by reason.

    With labels only those that have one are asked. Raises Cancelled.
    """
    items: list[Item] = []
    left_out: Counter[str] = Counter()
    read = 0
    for id_, line in reader.iterate(ids):
        read += 1
        if cancelled():
            raise Cancelled("The evaluation was stopped before anything was asked.")
        found = _of_line(id_, line, None if labels is None else labels.get(id_, ""))
        if isinstance(found, Item):
            items.append(found)
        else:
            left_out[found] += 1
    if len(ids) > read:
        left_out[DAMAGED] += len(ids) - read
    return tuple(items), dict(left_out)


def _of_line(id_: int, line: str, label: str | None) -> Item | str:
    if label == "":
        return NO_LABEL
    try:
        record = Record.parse(line)
    except BadJson:
        return NO_ANSWER
    fields = dict(record.shared.fields)
    if record.answers:
        # Of two answers to one prompt, the preferred one is what a reply is compared with.
        fields["messages"] = [*fields["messages"], *record.answers[0]]
    return item_of(id_, fields, label)


def demonstrated_answers(reader: Reader, ids: Iterable[int]) -> dict[int, str]:
    """Return the words of the last answer of conversations, by id; those without any are left out."""
    found = {}
    for id_, line in reader.iterate(ids):
        item = _of_line(id_, line, None)
        if isinstance(item, Item) and item.expected_text.strip():
            found[id_] = item.expected_text
    return found


def calls_of(message: Mapping[str, Any]) -> tuple[tuple[str, Json], ...]:
    """Return the tool calls of a message as (name, arguments read as JSON, else their text)."""
    calls = []
    older = message.get("function_call")
    made = message.get("tool_calls")
    for call in made if isinstance(made, list) else [{"function": older}] if older else []:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict):
            continue
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            with suppress(BadJson):
                arguments = loads(arguments or "{}")
        calls.append((str(function.get("name") or ""), arguments))
    return tuple(calls)
