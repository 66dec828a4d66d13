"""Marks behind everything a conversation holds, by which it is found again in what a template writes."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from curator.tune.local.trainer.template_messages import TemplateInput, TemplateRefused

_STRUCTURE: Final = frozenset({"role", "tool_call_id", "tool_calls"})
"""Keys of a message that say how it hangs together; all others hold something to read."""

_UNREAD: Final = frozenset({"strict", "additionalProperties"})
"""Keys of a definition that bind the service that checks calls; no model reads them."""

_KEYWORDS: Final = frozenset({"type", "$ref", "$schema"})
"""Keys of a schema whose values templates compare with words of their own."""

_NAMED: Final = ("properties", "$defs", "definitions", "patternProperties")
_NUMBERS: Final = 6


@dataclass(frozen=True, slots=True)
class Leaf:
    """One thing that must be in what the base reads: where it stands, what it is, and its text.

    message is its place among the messages, None for a definition; edges is the white space around a
    message's text, which some templates trim and which is put back.
    """

    message: int | None
    what: str
    text: str
    edges: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Written:
    """A rendering without its marks: where each leaf stands, as (start, end, number of the leaf)."""

    text: str
    spans: tuple[tuple[int, int, int], ...]

    def leaves(self, start: int = 0, end: int | None = None) -> frozenset[int]:
        """Return the numbers of the leaves that stand whole between two places."""
        last = len(self.text) if end is None else end
        return frozenset(leaf for low, high, leaf in self.spans if start <= low and high <= last)

    def end_of(self, leaves: frozenset[int], start: int, end: int) -> int:
        """Return where the last of some leaves ends between two places; start where there is none."""
        return max(
            (h for low, h, n in self.spans if n in leaves and start <= low and h <= end),
            default=start,
        )


class Marks:
    """Makes the marked conversation and reads the marks again; altered is the atom to change.

    Without marking it makes the same conversation without marks.
    """

    def __init__(
        self, inputs: TemplateInput, *, altered: int | None = None, marking: bool = True
    ) -> None:
        self.leaves: list[Leaf] = []
        self.atoms: list[tuple[int | None, str]] = []
        self.unmarked: list[str] = []
        self.edges_as_json = False
        self._source = inputs
        self._altered = altered
        self._marking = marking
        self._numbers: dict[int, Any] = {}
        held = json.dumps([inputs.messages, inputs.tools], ensure_ascii=False)
        self._sign = next(sign for n in range(2, 99) if (sign := "!Z" + "q" * n) not in held)
        self._digits = next(d for n in range(8675309, 9999999) if (d := str(n)) not in held)
        self._mark = re.compile(
            rf"{self._sign}(\d+)z|{self._digits}(\d{{{_NUMBERS}}})(?:\.5(?!\d))?(?!\d)"
        )

    def marked_input(self) -> TemplateInput:
        """Return the conversation with all its marks."""
        messages = [self._message(n, message) for n, message in enumerate(self._source.messages)]
        tools = [self._tool(tool) for tool in self._source.tools]
        return TemplateInput(tuple(messages), tuple(tools))

    def removed(self, marked: str) -> tuple[Written, str]:
        """Return a rendering without marks, and the same without the white space that was put back."""
        pieces: list[str] = []
        bare: list[str] = []
        spans: list[tuple[int, int, int]] = []
        length = place = 0
        for match in self._mark.finditer(marked):
            before = marked[place : match.start()]
            place = match.end()
            if match[1] is None:
                number = int(match[2])
                shown = json.dumps(self._numbers[number]) if number in self._numbers else match[0]
                before += shown
            else:
                number, shown = int(match[1]), None
            leaf = self.leaves[number]
            form = shown or next((f for f in _forms(leaf.text) if before.endswith(f)), None)
            bare.append(before)
            if form:
                lead, trail = leaf.edges
                if self.edges_as_json:
                    lead, trail = (json.dumps(edge)[1:-1] for edge in leaf.edges)
                before = before[: len(before) - len(form)]
                start = length + len(before)
                before += lead + form + trail
                spans.append((start, length + len(before), number))
            pieces.append(before)
            length += len(before)
        pieces.append(marked[place:])
        bare.append(marked[place:])
        return Written("".join(pieces), tuple(spans)), "".join(bare)

    def _message(self, index: int, message: Mapping[str, Any]) -> dict[str, Any]:
        n, role = index + 1, message["role"]
        found = dict(message)
        self.unmarked += [str(message.get("tool_call_id", "")), *message]
        for key, value in message.items():
            if key == "content":
                found[key] = self._text(index, f"the text of message {n} ({role})", value)
            elif key == "name":
                found[key] = self._name(index, message)
            elif key not in _STRUCTURE:
                found[key] = self._value(index, f'"{key}" of message {n}', value)
        if "tool_calls" in message:
            found["tool_calls"] = [self._call(index, call) for call in message["tool_calls"]]
        return found

    def _name(self, index: int, message: Mapping[str, Any]) -> Any:
        name = message["name"]
        if message["role"] == "tool" and name in self._called(index):
            self.unmarked.append(name)
            return name  # the call before it says the same
        if not isinstance(name, str):
            raise TemplateRefused(f"the name of message {index + 1} is not a text")
        return self._text(index, f"the name of message {index + 1} ({message['role']})", name)

    def _called(self, index: int) -> set[str]:
        return {
            call["function"]["name"]
            for message in self._source.messages[:index]
            for call in message.get("tool_calls", ())
        }

    def _call(self, index: int, call: Mapping[str, Any]) -> dict[str, Any]:
        n, function = index + 1, call["function"]
        self.unmarked.append(json.dumps({**call, "function": None}, ensure_ascii=False))
        name, given = (
            f"the name of a call in message {n}",
            f"the arguments of a call in message {n}",
        )
        marked = {
            "name": self._string(index, name, function["name"]),
            "arguments": self._value(index, given, function["arguments"]),
        }
        return {**call, "function": {**function, **marked}}

    def _tool(self, tool: Mapping[str, Any]) -> dict[str, Any]:
        function = tool["function"]
        what = f"the definition of the tool {function.get('name')!r}"
        self.unmarked.append(json.dumps({**tool, "function": None}, ensure_ascii=False))
        return {**tool, "function": self._schema(what, function)}

    def _schema(self, what: str, value: Any, key: str = "") -> Any:
        """Mark a definition: its words and the names of parameters, but no word that templates look for."""
        if isinstance(value, list):
            return [self._schema(what, item, key) for item in value]
        if not isinstance(value, dict):
            if isinstance(value, str) and key not in _KEYWORDS:
                return self._string(None, what, value)
            return (
                self._value(None, what, value)
                if _is_number(value)
                else self._atom(None, what, value, key)
            )
        named = {
            kind: {name: self._string(None, what, name) for name in value[kind]}
            for kind in _NAMED
            if isinstance(value.get(kind), dict)
        }
        found: dict[str, Any] = {}
        for name, item in value.items():
            self.unmarked.append(name)
            if name in named:
                found[name] = {named[name][k]: self._schema(what, v) for k, v in item.items()}
            elif name in _UNREAD and not isinstance(item, dict):
                found[name] = item
            elif name == "required" and isinstance(item, list):
                known = named.get("properties", {})
                found[name] = [self._required(what, entry, known) for entry in item]
            else:
                found[name] = self._schema(what, item, name)
        return found

    def _required(self, what: str, entry: Any, known: Mapping[str, str]) -> Any:
        if not isinstance(entry, str) or entry not in known:
            return self._schema(what, entry)
        changed = self._atom(None, what, entry)
        return known[entry] if changed == entry else changed

    def _value(self, index: int | None, what: str, value: Any) -> Any:
        if isinstance(value, str):
            return self._string(index, what, value)
        if isinstance(value, dict):
            return {
                self._string(index, what, key): self._value(index, what, item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self._value(index, what, item) for item in value]
        if not _is_number(value):
            return self._atom(index, what, value)
        number = len(self.leaves)
        self.leaves.append(Leaf(index, what, json.dumps(value)))
        self._numbers[number] = value
        if not self._marking:
            return value
        stand_in = int(f"{self._digits}{number:0{_NUMBERS}}")
        return stand_in + 0.5 if isinstance(value, float) else stand_in

    def _text(self, index: int, what: str, words: str) -> str:
        """Mark a message's text behind its last letter; the white space around it is kept apart."""
        core = words.strip()
        if not core:
            return words
        start = words.index(core)
        edges = (words[:start], words[start + len(core) :])
        return self._string(index, what, core, edges)

    def _string(
        self, index: int | None, what: str, words: str, edges: tuple[str, str] = ("", "")
    ) -> str:
        if not words:
            return words
        self.leaves.append(Leaf(index, what, words, edges))
        return f"{words}{self._sign}{len(self.leaves) - 1}z" if self._marking else words

    def _atom(self, index: int | None, what: str, value: Any, key: str = "") -> Any:
        """Return a value that carries no mark, another one where it is the one to alter."""
        self.unmarked.append(str(value))
        self.atoms.append((index, f"{key or json.dumps(value)} in {what}"))
        if self._altered != len(self.atoms) - 1:
            return value
        if isinstance(value, str):
            return "integer" if value == "string" else "string" if key == "type" else f"{value}x"
        return not value if isinstance(value, bool) else 1


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _forms(text: str) -> Iterator[str]:
    """Yield the ways in which a text may stand in a rendering: as it is, within JSON, within Python."""
    yield text
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield json.dumps(text)[1:-1]
    yield repr(text)[1:-1]
