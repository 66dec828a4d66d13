r"""The query language of the search field: words, "phrases", /regular expressions/ and field:value.

``refund -angry "my card" /\d{16}/ status:accepted tokens:>100 turns:2..4 is:flagged`` reads as one
would hope; whatever is not understood becomes a note and never an error. A regular expression
minds case unless it ends in ``/i``.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from curator.curate.search.patterns import Pattern
from curator.dataset.codes import FLAG_BITS, STATUSES
from curator.dataset.errors import WrongUse
from curator.dataset.record import Kind
from curator.dataset.split import Split

NUMBERS: Final = ("id", "tokens", "trained", "messages", "turns", "errors", "warnings", "line")
"""Fields that compare numbers."""

_STATUSES: Final = tuple(status.value for status in STATUSES)

CHOICES: Final = {
    "status": _STATUSES,
    "split": (*(split.value for split in Split), "none"),
    "is": (
        *("flagged", "removed", "edited", "duplicate", "handwritten", "labelled"),
        Kind.REINFORCEMENT.value,
        *_STATUSES,
    ),
    "has": (
        *FLAG_BITS,
        *("note", "tags", "labels", "errors", "warnings", "findings", "metadata", "split"),
    ),
}
"""Fields that take one of a few words."""

NAMES: Final = ("tag", "label", "rule", "role", "tool", "source", "by")
"""Fields that take any word; case does not matter."""

BY_TEXT: Final = frozenset({"role", "tool"})
"""Fields whose answer stands in the text alone."""


@dataclass(frozen=True, slots=True)
class Term:
    """Something the text must hold, or must not where negated."""

    kind: Literal["word", "phrase", "regex"]
    text: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """Something a conversation must be: one of values, or a number from low to high (None is open)."""

    field: str
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query; all terms and filters must hold. notes say what was not understood."""

    text: str = ""
    terms: tuple[Term, ...] = ()
    filters: tuple[Filter, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the query asks for nothing, so that everything matches."""
        return not self.terms and not self.filters

    @property
    def needs_text(self) -> bool:
        """Whether the conversations' texts must be looked at, not only their columns."""
        return bool(self.terms) or any(each.field in BY_TEXT for each in self.filters)


_PIECE: Final = re.compile(
    r"""
    (?P<minus>-?)
    (?:
        (?P<field>[A-Za-z]+):(?P<value>"[^"]*"?|[^\s"]*)
      | "(?P<phrase>[^"]*)"?
      | /(?P<regex>(?:\\.|[^\\/])+)/(?P<flag>i?)(?=\s|$)
      | (?P<word>\S+)
    )
    """,
    re.VERBOSE,
)
_NUMBER: Final = re.compile(
    r"(?P<op>>=|<=|>|<|=|)(?P<a>\d{1,30})(?:\.\.(?P<b>\d{1,30}))?$|\.\.(?P<c>\d{1,30})$"
)


def parse_query(text: str) -> Query:
    """Read a query; never raises."""
    terms: list[Term] = []
    filters: list[Filter] = []
    notes: list[str] = []
    for match in _PIECE.finditer(text):
        part, note = _part(match)
        if note:
            notes.append(note)
        if isinstance(part, Term):
            terms.append(part)
        elif part is not None:
            filters.append(part)
    return Query(text, tuple(terms), tuple(filters), tuple(notes))


def _part(match: re.Match[str]) -> tuple[Term | Filter | None, str]:
    negated = match["minus"] == "-"
    if match["field"] is not None:
        return _field(match, negated)
    if match["regex"] is not None:
        try:
            Pattern(match["regex"])
        except WrongUse as error:
            return None, str(error)
        return Term("regex", ("(?i)" if match["flag"] else "") + match["regex"], negated), ""
    if match["phrase"] is not None:
        phrase = match["phrase"].strip()
        return (Term("phrase", phrase, negated), "") if phrase else (None, "")
    word = match["word"]
    if word == "-" and not negated:
        return None, ""
    return Term("word", word, negated), ""


def _field(match: re.Match[str], negated: bool) -> tuple[Term | Filter | None, str]:  # noqa: FBT001
    field, value = match["field"].lower(), match["value"].strip('"')
    if field in NUMBERS:
        return _number(field, value, negated)
    if field not in CHOICES and field not in NAMES:
        # "Note: call back" or "https://…" are words, not a wrong field.
        whole = match[0].removeprefix("-")
        return Term("phrase", whole.replace('"', ""), negated), (
            f"{field}: is no field, so it is searched as text."
        )
    if not value:
        return None, f"{field}: wants a value."
    values = tuple(part for part in value.split(",") if part) if field in CHOICES else (value,)
    if field in CHOICES:
        values = tuple(_choice(field, each) for each in values)
        wrong = [each for each in values if each not in CHOICES[field]]
        if wrong:
            return None, f"{field}:{wrong[0]} is unknown; there are {', '.join(CHOICES[field])}."
    return Filter(field, values, negated=negated), ""


def _choice(field: str, value: str) -> str:
    """Return the one choice a word or its beginning means, else the word."""
    value = value.lower()
    if value in CHOICES[field]:
        return value
    near = [choice for choice in CHOICES[field] if choice.startswith(value)]
    return near[0] if len(near) == 1 else value


def _number(field: str, value: str, negated: bool) -> tuple[Filter | None, str]:  # noqa: FBT001
    match = _NUMBER.match(value.removesuffix("..") if ".." in value[-2:] else value)
    if match is None:
        return None, f"{field}: wants a number such as {field}:5, {field}:>100 or {field}:2..4."
    low: float | None
    high: float | None
    if match["c"] is not None:
        low, high = None, int(match["c"])
    elif match["b"] is not None:
        low, high = int(match["a"]), int(match["b"])
    else:
        number = int(match["a"])
        low, high = {
            ">": (number + 1, None),
            ">=": (number, None),
            "<": (None, number - 1),
            "<=": (None, number),
        }.get(match["op"], (number, None if value.endswith("..") else number))
    return Filter(field, (), low, high, negated), ""
