"""Tool calls in the text of a reply, read by the way the base's own template writes them.

The template is shown a call and what it writes around the name and the arguments is kept; a reply
that is written so holds calls. Templates that do not write the arguments as JSON have no such way,
and their replies stay text.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from curator.tune.local.trainer.rendering import render
from curator.tune.local.trainer.template_messages import TemplateRefused, template_input

_SAMPLE_NAMES: Final = ("Zqnamea", "Zqnameb")
_SAMPLE_ARGUMENTS: Final = ({"Zqkeya": "Zqvaluea"}, {"Zqkeyb": "Zqvalueb"})
_SAMPLE_TEXT: Final = "Zqsaid"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a reply; arguments is the JSON text as it was written."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CallFormat:
    """What a template writes around calls: before and between name and arguments, and to the next or the end.

    joint is what stands between a text and its first call; following is None where a turn takes one
    call only.
    """

    joint: str
    opening: str
    between: str
    following: str | None
    closing: str

    @property
    def openings(self) -> tuple[str, ...]:
        """Return the texts with which calls may begin, after a text and without one."""
        return tuple(dict.fromkeys((self.joint + self.opening, self.opening)))

    def read(self, text: str) -> tuple[str, tuple[Call, ...]]:
        """Return what a reply says besides its calls, and the calls; all is text where it is not whole."""
        start = text.find(self.opening)
        if start < 0:
            return text, ()
        said = text[:start].removesuffix(self.joint) if start else ""
        calls: list[Call] = []
        rest = text[start + len(self.opening) :]
        while True:
            name, found, rest = rest.partition(self.between)
            try:
                _, end = json.JSONDecoder().raw_decode(rest)
            except (ValueError, RecursionError):
                return text, ()
            if not found or not name.strip():
                return text, ()
            calls.append(Call(self._name(name), rest[:end]))
            rest = rest[end:]
            if self.following and rest.startswith(self.following):
                rest = rest[len(self.following) :]
            elif rest.strip() == self.closing.strip():
                return said, tuple(calls)
            else:
                return text, ()

    def _name(self, written: str) -> str:
        if not self.opening.endswith('"'):
            return written.strip()
        try:
            return str(json.loads(f'"{written}"'))
        except ValueError:
            return written


def format_of(tokenizer: Any) -> CallFormat | None:
    """Return how a base's template writes calls; None where its replies hold none that can be read."""
    try:
        single = _written(tokenizer, 1, "")
        joined = _written(tokenizer, 1, _SAMPLE_TEXT)
        try:
            double = _written(tokenizer, 2, "")
        except TemplateRefused:
            double = ""
    except TemplateRefused:
        return None
    first = _around(single, 0)
    if first is None or _SAMPLE_TEXT not in joined:
        return None
    opening, between, closing = first
    joint = joined[joined.index(_SAMPLE_TEXT) + len(_SAMPLE_TEXT) :].partition(opening)[0]
    following = None
    if (second := _around(double, 0)) and (last := _around(second[2], 1)):
        following = last[0]
        opening, between, closing = second[0], second[1], last[2]
    return CallFormat(joint, opening, between, following, closing) if opening.strip() else None


def _written(tokenizer: Any, count: int, said: str) -> str:
    """Return the assistant turn of a conversation with some calls, control tokens left out."""
    calls = [
        {"id": f"call0000{n}", "type": "function", "function": {"name": name, "arguments": given}}
        for n, (name, given) in enumerate(
            zip(_SAMPLE_NAMES[:count], _SAMPLE_ARGUMENTS, strict=False)
        )
    ]
    tools = [
        {
            "type": "function",
            "function": {"name": name, "description": name, "parameters": _PARAMETERS},
        }
        for name in _SAMPLE_NAMES
    ]
    asked = [{"role": "user", "content": "x"}]
    turn = {"role": "assistant", "content": said, "tool_calls": calls}
    inputs = template_input({"messages": [*asked, turn], "tools": tools})
    before = render(tokenizer, inputs.messages[:1], inputs.tools, prompt=True)
    after = render(tokenizer, inputs.messages, inputs.tools, prompt=False)
    if not after.startswith(before):
        raise TemplateRefused("the base's chat template does not continue its own prompt")
    text = after[len(before) :]
    for token in sorted(tokenizer.all_special_tokens, key=len, reverse=True):
        text = text.replace(token, "")
    return text


_PARAMETERS: Final = {
    "type": "object",
    "properties": {"Zq": {"type": "string", "description": "x"}},
}


def _around(text: str, number: int) -> tuple[str, str, str] | None:
    """Return what stands before a probe's name, between it and its arguments, and behind them."""
    before, found, rest = text.partition(_SAMPLE_NAMES[number])
    for separators in ((", ", ": "), (",", ":")):
        between, given, behind = rest.partition(
            json.dumps(_SAMPLE_ARGUMENTS[number], separators=separators)
        )
        if found and given:
            return before, between, behind
    return None
