"""A training line or chat request as chat templates take it, whatever of the protocol's forms it uses.

Legacy functions become tools, a refusal becomes the text of the answer, parts of text become one text.
What no template of a text base can write (an image, a call that is no function) is refused here.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final


class TemplateRefused(ValueError):
    """A base cannot read all that a conversation holds; the text says what, and why."""


@dataclass(frozen=True, slots=True)
class TemplateInput:
    """Messages and tool definitions in the one form that templates know."""

    messages: tuple[dict[str, Any], ...]
    tools: tuple[dict[str, Any], ...]


_TEXT_PARTS: Final = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "refusal": "refusal",
}
_ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_CALL_KEYS: Final = frozenset({"tool_calls", "function_call"})


def template_input(record: Mapping[str, Any]) -> TemplateInput:
    """Return a record's conversation; raises TemplateRefused for what a text base cannot read."""
    listed = record["messages"]
    if not isinstance(listed, list) or not all(isinstance(message, dict) for message in listed):
        raise TemplateRefused("its messages are not a list of objects")
    messages = [_message(message, number) for number, message in enumerate(listed, 1)]
    messages = list(_results_in_order(messages))
    tools = [_tool(entry) for entry in _objects(record, "tools", "its tools")]
    functions = _objects(record, "functions", "its functions")
    tools += [{"type": "function", "function": dict(entry)} for entry in functions]
    return TemplateInput(tuple(messages), tuple(tools))


def _results_in_order(messages: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield messages with the results of a turn's calls in the order of the calls.

    Many templates write no ids: then only the order tells which result belongs to which call.
    """
    calls: list[Any] = []
    waiting: list[dict[str, Any]] = []
    for message in (*messages, {"role": ""}):
        if message["role"] == "tool":
            waiting.append(message)
            continue
        ids = [result.get("tool_call_id") for result in waiting]
        if len(set(map(str, ids))) == len(ids) and all(id_ in calls for id_ in ids):
            waiting.sort(key=lambda result: calls.index(result.get("tool_call_id")))
        yield from waiting
        calls, waiting = [call.get("id") for call in message.get("tool_calls", ())], []
        if message["role"]:
            yield message


def is_trained(message: Mapping[str, Any]) -> bool:
    """Tell whether a message of a training line is one the base learns to say."""
    return message.get("role") == "assistant" and message.get("weight") != 0


def _objects(holder: Mapping[str, Any], key: str, what: str) -> list[Mapping[str, Any]]:
    """Return a list of objects, empty where there is none; raises TemplateRefused for another kind."""
    listed = holder.get(key)
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise TemplateRefused(f"{what} are not a list of objects")
    return listed


def _tool(entry: Mapping[str, Any]) -> dict[str, Any]:
    if entry.get("type", "function") != "function":
        raise TemplateRefused(
            f"a tool is of the type {entry['type']!r}; only functions can be read"
        )
    if not isinstance(entry.get("function"), dict):
        return {"type": "function", "function": {k: v for k, v in entry.items() if k != "type"}}
    return dict(entry)


def _message(message: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return a message as templates expect it: one text, calls with arguments as objects, no weight."""
    plain = {
        key: value
        for key, value in message.items()
        if key not in ("weight", "refusal", *_CALL_KEYS) and value is not None
    }
    role = message.get("role")
    if not isinstance(role, str):
        raise TemplateRefused(f"message {number} has no role")
    if role not in _ROLES:
        raise TemplateRefused(
            f"message {number} has the role {role[:40]!r}, which no template knows"
        )
    plain["role"] = {"developer": "system", "function": "tool"}.get(role, role)
    said = [*_texts(message.get("content"), number), *_texts(message.get("refusal"), number)]
    plain["content"] = "\n".join(said)
    calls = [
        _call(call, number)
        for call in _objects(message, "tool_calls", f"the calls of message {number}")
    ]
    legacy = message.get("function_call")
    if isinstance(legacy, dict):
        calls.append(_call({"type": "function", "function": legacy}, number))
    elif legacy is not None:
        raise TemplateRefused(f"the function_call of message {number} is not an object")
    if calls:
        plain["tool_calls"] = calls
    return plain


def _texts(content: Any, number: int) -> Iterable[str]:
    if content is None:
        return
    if isinstance(content, str):
        yield content
        return
    if not isinstance(content, list):
        raise TemplateRefused(f"the content of message {number} is neither a text nor parts")
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        words = part.get(_TEXT_PARTS[kind]) if kind in _TEXT_PARTS else None
        if not isinstance(words, str):
            what = str(kind or "part of another kind").removeprefix("input_")
            said = {"image_url": "image", "file": "file"}.get(what, what)
            raise TemplateRefused(
                f"message {number} holds a part ({said}) that is no text; this base reads text only"
            )
        yield words


def _call(call: Mapping[str, Any], number: int) -> dict[str, Any]:
    function = call.get("function")
    if call.get("type", "function") != "function" or not isinstance(function, dict):
        raise TemplateRefused(f"a call in message {number} is no call of a function")
    if not isinstance(function.get("name"), str) or not function["name"].strip():
        raise TemplateRefused(f"a call in message {number} has no name")
    given = dict(function)
    if isinstance(given.get("arguments"), str):
        given["arguments"] = _arguments(given["arguments"], number)
    elif given.get("arguments") is None:
        given["arguments"] = {}
    return {**call, "function": given}


def _arguments(text: str, number: int) -> Any:
    """Read a call's arguments so that writing them again loses nothing; raises TemplateRefused."""
    try:
        return read_exactly(text)
    except (ValueError, RecursionError) as error:
        raise TemplateRefused(
            f"the arguments of a call in message {number} are not JSON ({error})"
        ) from error


def read_exactly(text: str) -> Any:
    """Read JSON that Python writes back with the same meaning; raises ValueError for any other.

    A key that stands twice would lose its first value, and a number with more digits than a float
    holds its last ones.
    """
    return json.loads(
        text, object_pairs_hook=_once, parse_float=_number, parse_constant=_no_constant
    )


def read_line(text: str) -> Any:
    """Read a line of a training file; raises ValueError for what is no object, or has a key twice."""
    value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    if not isinstance(value, dict):
        raise ValueError("it is not an object")
    return value


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice")
    return found


def _number(text: str) -> float:
    value = float(text)
    if Decimal(repr(value)) != Decimal(text):
        raise ValueError(f"the number {text[:40]} cannot be kept exactly")
    return value


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")
