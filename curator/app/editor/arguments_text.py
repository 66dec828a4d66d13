"""The arguments of a call as rows, and their JSON text with one of them changed and nothing else."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from curator.app.editor import tool_shape
from curator.dataset.json_values import BadJson, Json, loads

_STYLES: Final[tuple[dict[str, Any], ...]] = tuple(
    {"separators": separators, "indent": indent, "ensure_ascii": ascii_only}
    for separators in ((", ", ": "), (",", ":"))
    for indent in (None, 2, 4)
    for ascii_only in (False, True)
)
"""How programs write JSON; a text in none of these ways is changed by hand only."""


@dataclass(frozen=True, slots=True)
class Row:
    """One argument: its value as text (a text itself, anything else as JSON), None where not given."""

    name: str
    type: str
    required: bool
    description: str
    text: str | None

    def hint(self) -> str:
        """Return what stands in an empty field."""
        return self.description or self.type

    def kind(self) -> str:
        """Return the type, and whether the argument must be given."""
        return f"{self.type}, required" if self.required else self.type

    def means(self, words: str) -> bool:
        """Whether words typed say the value already, in other letters."""
        if self.text is None or self.type == "string":
            return words == (self.text or "")
        try:
            return bool(loads(words) == loads(self.text))
        except BadJson:
            return False


@dataclass(frozen=True, slots=True)
class Arguments:
    """Arguments that a form can change without touching anything else."""

    definition: Json
    values: Mapping[str, Json]
    style: Mapping[str, Any]

    def rows(self) -> tuple[Row, ...]:
        """Return the defined parameters in their order, then whatever else was given."""
        known = {each.name: each for each in tool_shape.parameters(self.definition)}
        rows = []
        for name in dict.fromkeys([*known, *self.values]):
            one = known.get(name)
            kind = one.type if one is not None and isinstance(one.type, str) else "JSON"
            value = self.values.get(name)
            if kind == "string" and name in self.values and not isinstance(value, str):
                kind = "JSON"
            text = value if kind == "string" else json.dumps(value, ensure_ascii=False)
            words = one.description if one is not None else ""
            rows.append(
                Row(
                    name,
                    kind,
                    one is not None and one.required,
                    words if isinstance(words, str) else "",
                    str(text) if name in self.values else None,
                )
            )
        return tuple(rows)

    def with_argument(self, name: str, words: str) -> str | None:
        """Return the text with one argument changed; empty words take away one that need not be given.

        None where the words are no JSON for an argument that is no text.
        """
        row = next(row for row in self.rows() if row.name == name)
        values = dict(self.values)
        if not words and not row.required:
            values.pop(name, None)
        elif row.type == "string":
            values[name] = words
        else:
            try:
                values[name] = loads(words)
            except BadJson:
                return None
        return json.dumps(values, **self.style)

    def reread(self, text: str) -> "Arguments":
        """Return the arguments of a text written by with_argument."""
        return Arguments(self.definition, loads(text), self.style)


def read_arguments(definition: Json, text: Json) -> Arguments | None:
    """Return the arguments in a text; None where no form can change them and leave the rest as it is."""
    if not tool_shape.is_usual(definition) or not isinstance(text, str):
        return None
    try:
        values = loads(text or "{}")
    except BadJson:
        return None
    if not isinstance(values, dict):
        return None
    style = next((each for each in _STYLES if json.dumps(values, **each) == (text or "{}")), None)
    return None if style is None else Arguments(definition, values, style)


def definition_of(tools: Json, name: Json) -> Json:
    """Return the definition of a function among the tools of a conversation, None where there is none."""
    for tool in tools if isinstance(tools, list) else ():
        function = tool.get("function") if isinstance(tool, Mapping) else None
        if isinstance(function, Mapping) and function.get("name") == name:
            return tool
    return None
