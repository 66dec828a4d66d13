"""Reading a label from a reply: the reply need not be the demonstrated one, it must only say which label.

A reply without a label that can be read is unreadable: it counts as wrong and is listed.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import regex

from curator.dataset.errors import WrongUse
from curator.dataset.json_values import BadJson, Json, canonical, loads
from curator.tune.evaluation.items import Item, calls_of, message_text

WAYS: Final = ("exact", "normalised", "choice", "regex", "json", "tool", "demonstrated")
"""How a label can be read from a reply."""

NO_CALL: Final = "(no call)"
"""The label of an answer that calls no tool, where tools are the labels."""

_PATIENCE_S: Final = 1.0
"""So long a person's regular expression may look at one reply."""
_FENCE: Final = regex.compile(r"```(?:json)?\s*(.*?)```", regex.DOTALL)
_WORD: Final = r"[\p{L}\p{M}\p{N}_]"
_AROUND: Final = regex.compile(rf"^(?:(?!{_WORD}).)+|(?:(?!{_WORD}).)+$")
_MOST_CLASSES: Final = 2_000
_LONGEST_LABEL: Final = 100
_ROWS_A_CLASS: Final = 3

Read = Callable[[Mapping[str, Any]], str | None]
"""Return the label of a message, None where none can be read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How labels are read: the way, its argument, the choices, and what demonstrated replies mean."""

    way: str
    argument: str = ""
    choices: tuple[str, ...] = ()
    meanings: Mapping[str, str] | None = None

    def to_json(self) -> dict[str, Json]:
        """Return it as a run keeps it."""
        return {
            "way": self.way,
            "argument": self.argument,
            "choices": list(self.choices),
            "meanings": None if self.meanings is None else dict(self.meanings),
        }

    @classmethod
    def from_json(cls, value: Json) -> "Reading":
        """Read what to_json gave."""
        return cls(value["way"], value["argument"], tuple(value["choices"]), value["meanings"])

    def reader(self) -> Read:
        """Return the function that reads a message; raises WrongUse where the argument is none."""
        return _READERS[self.way](self)

    def expected(self, item: Item) -> str | None:
        """Return the label that is right: the annotated one, else what the demonstrated answer says."""
        if item.label is not None:
            return item.label
        return self.reader()(item.expected)


def parse_reading(text: str, choices: Sequence[str] = ()) -> Reading:
    """Read WAY or WAY=ARGUMENT as on the command line; raises WrongUse."""
    way, _, argument = text.partition("=")
    if way not in WAYS:
        raise WrongUse(f'Labels are not read by "{way}"; choose one of {", ".join(WAYS)}.')
    if way in ("regex", "json") and not argument:
        raise WrongUse(f"Say what to look for: --score {way}=...")
    if way == "choice" and argument:
        choices = tuple(filter(None, (part.strip() for part in argument.split(","))))
    found = Reading(way, argument, tuple(dict.fromkeys(choices)))
    found.reader()
    return found


def guess_reading(answers: Iterable[str]) -> Reading | None:
    """Return the reading that a data set's answers suggest: few short ones are labels; None for texts."""
    texts = [text.strip() for text in answers]
    counts = Counter(texts)
    if not texts or len(counts) > _MOST_CLASSES or len(texts) < _ROWS_A_CLASS * len(counts):
        return None
    if max(map(len, counts)) > _LONGEST_LABEL:
        return None
    return Reading("choice", "", tuple(sorted(counts)))


def meanings_of(answers: Mapping[int, str], labels: Mapping[int, str]) -> dict[str, str]:
    """Return, for every demonstrated answer, the label that most of its conversations have."""
    votes: dict[str, Counter[str]] = {}
    for conversation, label in labels.items():
        if conversation in answers:
            votes.setdefault(normal(answers[conversation]), Counter())[label] += 1
    return {text: count.most_common(1)[0][0] for text, count in votes.items()}


def normal(text: str) -> str:
    """Return a text as labels are compared: case, width, and what stands around the words aside."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return _AROUND.sub("", folded) or folded


def _exact(_: Reading) -> Read:
    return lambda message: message_text(message).strip() or None


def _normalised(reading: Reading) -> Read:
    spelled = {normal(choice): choice for choice in reversed(reading.choices)}

    def read(message: Mapping[str, Any]) -> str | None:
        found = normal(message_text(message))
        return spelled.get(found, found) or None

    return read


def _choice(reading: Reading) -> Read:
    """Read the one choice that a reply is, or that it names as a whole word; several are none."""
    exact = {choice.strip(): choice for choice in reading.choices}
    spelled = {normal(choice): choice for choice in reversed(reading.choices)}
    # The longest first, so that "card" is not found inside "lost card".
    longest = sorted(filter(None, spelled), key=len, reverse=True)
    named = "|".join(map(regex.escape, longest)) or "(?!)"
    pattern = regex.compile(rf"(?<!{_WORD})(?:{named})(?!{_WORD})")

    def read(message: Mapping[str, Any]) -> str | None:
        text = message_text(message)
        if text.strip() in exact:
            return exact[text.strip()]
        found = normal(text)
        if found in spelled:
            return spelled[found]
        said = {spelled[each] for each in pattern.findall(found)}
        return said.pop() if len(said) == 1 else None

    return read


def _regex(reading: Reading) -> Read:
    try:
        pattern = regex.compile(reading.argument)
    except regex.error as error:
        raise WrongUse(f"{reading.argument!r} is no regular expression: {error}.") from error

    def read(message: Mapping[str, Any]) -> str | None:
        try:
            found = pattern.search(message_text(message), timeout=_PATIENCE_S)
        except TimeoutError:
            return None
        if found is None:
            return None
        said = found[1] if pattern.groups else found[0]
        return (said or "").strip() or None

    return read


def _json(reading: Reading) -> Read:
    path = [part for part in reading.argument.split(".") if part]

    def read(message: Mapping[str, Any]) -> str | None:
        value = json_in(message_text(message))
        for part in path:
            if isinstance(value, dict) and part in value:
                value = value[part]
            elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            else:
                return None
        if value is None or value is NO_JSON:
            return None
        return value.strip() or None if isinstance(value, str) else canonical(value)

    return read


def _tool(_: Reading) -> Read:
    def read(message: Mapping[str, Any]) -> str | None:
        names = sorted(name for name, _ in calls_of(message))
        if names:
            return " + ".join(names)
        return NO_CALL if message_text(message).strip() else None

    return read


def _demonstrated(reading: Reading) -> Read:
    meanings = reading.meanings or {}
    chosen = _choice(reading)

    def read(message: Mapping[str, Any]) -> str | None:
        return meanings.get(normal(message_text(message))) or chosen(message)

    return read


NO_JSON: Final = object()
"""What json_in returns for a text that holds no JSON value."""


def json_in(text: str) -> Json:
    """Return the JSON value that a reply is, bare or in a code fence; NO_JSON where it is none."""
    for candidate in (text, *_FENCE.findall(text)[:1]):
        try:
            return loads(candidate.strip())
        except BadJson:
            continue
    return NO_JSON


_READERS: Final[Mapping[str, Callable[[Reading], Read]]] = {
    "exact": _exact,
    "normalised": _normalised,
    "choice": _choice,
    "regex": _regex,
    "json": _json,
    "tool": _tool,
    "demonstrated": _demonstrated,
}
