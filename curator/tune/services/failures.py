"""From a server's words to our rule, the line they name, and the conversation that stands there."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from curator.dataset.rule import Rule, load_rules

ConversationOf = Callable[[int], int | None]
"""Return the conversation that stands in a line (1-based) of the training file; None if unknown."""

_NUMBERS: Final = r"(?P<lines>\d+(?:(?:, ?| and |, and )\d+)*)\b"
_PLACE: Final = (
    re.compile(
        r"\b(?:example|row|record|sample|entry)s? (?:#|no\.? ?|number )?"
        + _NUMBERS
        + r"(?:, message (?P<message>\d+))?",
        re.IGNORECASE,
    ),
    re.compile(r"\(line (?P<lines>\d+)\)"),
    re.compile(r"\blines?:? #?" + _NUMBERS + r"(?! column)", re.IGNORECASE),
)
_LONGEST_NUMBER: Final = 12
_MOST_PLACES: Final = 1000
_WAYS_OUT: Final = (
    (
        re.compile(r"still being processed"),
        "The server has not finished reading the file. Start again in a minute.",
    ),
    (
        re.compile(r"internal error|server_error", re.IGNORECASE),
        "This is a fault of the service. Start the job again; the data need no change.",
    ),
    (
        re.compile(r"api-version"),
        "The address takes no ?api-version=. Use the address that ends in /openai/v1.",
    ),
    (
        re.compile(r"insufficient_quota|exceeded your current quota|billing"),
        "The account has no credit left. Add credit and start again.",
    ),
)


@dataclass(frozen=True, slots=True)
class NamedLine:
    """One line of the training file a server named, and the conversation that stands there."""

    line: int
    message: int | None
    conversation: int | None


@dataclass(frozen=True, slots=True)
class Explained:
    """A failure put into our terms: the server's reason, the rule it means, places and a way out."""

    reason: str
    rule: str
    way_out: str
    lines: tuple[NamedLine, ...]

    @property
    def conversation(self) -> int | None:
        """The first conversation named, to open from the error."""
        return next((one.conversation for one in self.lines if one.conversation is not None), None)

    def sentence(self) -> str:
        """Return all of it as text for a person."""
        parts = [self.reason.rstrip(".") + "." if self.reason else "The server gave no reason."]
        if self.lines:
            named = [
                f"line {one.line}"
                + ("" if one.conversation is None else f" (conversation {one.conversation})")
                for one in self.lines[:5]
            ]
            more = f" and {len(self.lines) - 5} more" if len(self.lines) > 5 else ""
            parts.append(f"It names {', '.join(named)}{more}.")
        if self.way_out:
            parts.append(self.way_out)
        return " ".join(parts)


def explain_failure(reason: str, conversation_of: ConversationOf = lambda _: None) -> Explained:
    """Put a server's failure text into our terms; unknown texts keep their words and any line they name."""
    rule = _find_rule(reason)
    lines = tuple(
        NamedLine(line, message, conversation_of(line)) for line, message in _places(reason)
    )
    return Explained(reason, rule.id if rule else "", _way_out(reason, rule), lines)


def _find_rule(reason: str) -> Rule | None:
    for rule in load_rules().values():
        if any(re.search(text, reason) for text in rule.provider_texts):
            return rule
    return None


def _places(reason: str) -> list[tuple[int, int | None]]:
    """Return each line a text names once, with the message in it where one is named."""
    for pattern in _PLACE:
        found: dict[int, int | None] = {}
        for place in pattern.finditer(reason):
            message = place.groupdict().get("message")
            for number in re.findall(r"\d+", place["lines"]):
                if len(number) > _LONGEST_NUMBER:
                    continue
                found.setdefault(int(number), None if message is None else int(message))
        if found:
            return list(found.items())[:_MOST_PLACES]
    return []


def _way_out(reason: str, rule: Rule | None) -> str:
    for pattern, advice in _WAYS_OUT:
        if pattern.search(reason):
            return advice
    return f"{rule.why} (rule {rule.id}: {rule.title})" if rule else ""
