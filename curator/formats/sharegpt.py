"""ShareGPT: turns with "from" and "value", as LLaMA-Factory, Axolotl and many data sets have them.

Tools as LLaMA-Factory has them: ``function_call`` turns with the call as JSON text, ``observation``
turns with its result, and the definitions as JSON text under ``tools``. Calls have no ids there, so
the results must stand in the order of the calls.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from curator.dataset.conversation import kind_of
from curator.dataset.json_values import BadJson, Json, dumps, loads, repeated_keys
from curator.formats.conversion import (
    BadRecord,
    CannotHold,
    Fields,
    Written,
    others,
    refuse_preferences,
    text_of,
)

NAME: Final = "sharegpt"
TITLE: Final = "ShareGPT (JSON Lines)"

_ROLES: Final = {
    "system": "system",
    **dict.fromkeys(("human", "user"), "user"),
    **dict.fromkeys(("gpt", "assistant", "bot", "model", "ai", "chatgpt"), "assistant"),
    **dict.fromkeys(("observation", "tool"), "tool"),
}
_CALL: Final = "function_call"
_SPEAKERS: Final = {
    "system": "system",
    "developer": "system",
    "user": "human",
    "assistant": "gpt",
    "tool": "observation",
}
_KNOWN: Final = frozenset({"conversations", "system", "tools"})
_TURN: Final = frozenset({"from", "value", "role", "content"})
_MESSAGE: Final = frozenset(
    {"role", "content", "tool_calls", "tool_call_id", "weight", "name", "refusal"}
)


def holds(fields: Fields) -> bool:
    """Say whether an object looks like a record of this format."""
    return "conversations" in fields and "messages" not in fields


def convert(fields: Fields) -> Fields:
    """Return a record as OpenAI chat; raises BadRecord."""
    refuse_preferences(fields)
    turns = fields["conversations"]
    if not isinstance(turns, list) or not turns:
        raise BadRecord(f'Its "conversations" is {kind_of(turns)} without turns.')
    messages: list[Json] = []
    if fields.get("system") not in (None, ""):
        messages.append({"role": "system", "content": text_of(fields, "system")})
    reading = _Calls()
    for number, turn in enumerate(turns, 1):
        messages.append(_message(turn, f"Turn {number}", reading))
    found: dict[str, Json] = {"messages": messages}
    if fields.get("tools") not in (None, "", "[]", []):
        found["tools"] = _definitions(fields["tools"])
    return found | others(fields, _KNOWN)


class _Calls:
    """Gives calls their ids, and results the ids of the calls that they answer, in order."""

    def __init__(self) -> None:
        self.made = 0
        self.waiting: list[str] = []

    def call(self) -> str:
        """Return the id of one more call."""
        self.made += 1
        self.waiting.append(f"call_{self.made}")
        return self.waiting[-1]


def _message(turn: Json, where: str, calls: _Calls) -> dict[str, Json]:
    if not isinstance(turn, dict):
        raise BadRecord(f"{where} is {kind_of(turn)}, not an object.")
    speaker = text_of(turn, "from" if "from" in turn or "role" not in turn else "role", where)
    value = text_of(turn, "value" if "value" in turn or "content" not in turn else "content", where)
    more = others(turn, _TURN)
    if speaker == _CALL:
        return {"role": "assistant", "tool_calls": _calls(value, where, calls)} | more
    role = _ROLES.get(speaker)
    if role is None:
        raise BadRecord(f'{where} is from "{speaker[:40]}", which is no speaker of ShareGPT.')
    if role != "tool":
        return {"role": role, "content": value} | more
    if not calls.waiting:
        raise BadRecord(f"{where} is a result without a call before it.")
    return {"role": "tool", "tool_call_id": calls.waiting.pop(0), "content": value} | more


def _calls(value: str, where: str, calls: _Calls) -> list[Json]:
    try:
        given = loads(value)
    except BadJson as error:
        raise BadRecord(f"{where} is a call that is no JSON: {error.reason}.") from None
    found: list[Json] = []
    for call in given if isinstance(given, list) else [given]:
        if not isinstance(call, dict) or call.keys() != {"name", "arguments"}:
            raise BadRecord(f'{where} is a call without "name" and "arguments", or with more.')
        arguments = call["arguments"]
        text = arguments if isinstance(arguments, str) else dumps(arguments)
        function = {"name": call["name"], "arguments": text}
        found.append({"id": calls.call(), "type": "function", "function": function})
    if not found:
        raise BadRecord(f"{where} has an empty list of calls.")
    return found


def _definitions(tools: Json) -> list[Json]:
    if isinstance(tools, str):
        try:
            tools = loads(tools)
        except BadJson as error:
            raise BadRecord(f'Its "tools" are no JSON: {error.reason}.') from None
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise BadRecord('Its "tools" are not a list of objects.')
    return [
        tool if "function" in tool else {"type": "function", "function": tool} for tool in tools
    ]


def write(fields: Fields) -> Written:
    """Return a conversation as a record; raises CannotHold for what ShareGPT has no place for."""
    if fields.get("functions"):
        raise CannotHold("older function definitions")
    if {"conversations", "system"} & fields.keys():
        raise CannotHold("a key that means something else there")
    writer = _Writer()
    found: dict[str, Json] = {"conversations": list(map(writer.turn, fields["messages"]))}
    if fields.get("tools"):
        found["tools"] = dumps([_function(tool) for tool in fields["tools"]])
    if fields.get("parallel_tool_calls") is not None:
        writer.losses.add("parallel_tool_calls")
    kept = others(fields, frozenset({"messages", "tools", "functions", "parallel_tool_calls"}))
    return Written(found | kept, frozenset(writer.losses))


class _Writer:
    """Makes turns of messages in order, and knows which results the calls so far wait for."""

    def __init__(self) -> None:
        self.losses: set[str] = set()
        self._made = 0
        self._waiting: list[Json] = []

    def turn(self, message: Mapping[str, Any]) -> dict[str, Json]:
        """Return the turn of the next message; raises CannotHold."""
        _require_known(message)
        self.losses |= _losses(message)
        content, calls = message.get("content"), message.get("tool_calls")
        speaker = _SPEAKERS[message["role"]]
        if message["role"] == "tool" and (
            not self._waiting or message.get("tool_call_id") != self._waiting.pop(0)
        ):
            raise CannotHold("results that do not follow their calls in order")
        if calls:
            if message["role"] != "assistant" or content not in (None, ""):
                raise CannotHold("words beside a call")
            speaker, content = _CALL, self._value(calls)
        if not isinstance(content, str):
            raise CannotHold("pictures or other parts" if content else "messages without a text")
        return {"from": speaker, "value": content} | others(message, _MESSAGE)

    def _value(self, calls: Sequence[Mapping[str, Any]]) -> str:
        for call in calls:
            self._made += 1
            self._waiting.append(call.get("id"))
            if call.get("id") != f"call_{self._made}":
                self.losses.add("ids of calls")
        values = [_call(call) for call in calls]
        return dumps(values[0] if len(values) == 1 else values)


def _require_known(message: Mapping[str, Any]) -> None:
    role = message.get("role")
    answers = message.get("tool_call_id") is not None
    if (
        role not in tuple(_SPEAKERS)
        or message.keys() & {"from", "value", "function_call"}
        or (answers and role != "tool")
    ):
        raise CannotHold("roles or keys that are not known there")
    if message.get("refusal"):
        raise CannotHold("refusals")


def _losses(message: Mapping[str, Any]) -> set[str]:
    found = set()
    if message.get("weight") not in (None, 1):
        found.add("weights")
    if message.get("name") is not None:
        found.add("names")
    if message.get("role") == "developer":
        found.add("developer roles")
    return found


def _call(call: Mapping[str, Any]) -> dict[str, Json]:
    function = call.get("function")
    if (
        call.keys() != {"id", "type", "function"}
        or call["type"] != "function"
        or not isinstance(function, dict)
        or function.keys() != {"name", "arguments"}
    ):
        raise CannotHold("calls of another kind")
    try:
        arguments = loads(function["arguments"])
    except (BadJson, TypeError):
        raise CannotHold("arguments that are no JSON") from None
    # A text would be read back as the arguments themselves, and of a key that stands twice one would go.
    if isinstance(arguments, str) or repeated_keys(function["arguments"]):
        raise CannotHold("arguments that are no JSON object")
    return {"name": function["name"], "arguments": arguments}


def _function(tool: Json) -> Json:
    if not isinstance(tool, dict) or tool.keys() != {"type", "function"}:
        raise CannotHold("tools of another kind")
    function = tool["function"]
    if tool["type"] != "function" or not isinstance(function, dict) or "function" in function:
        raise CannotHold("tools of another kind")
    return function
