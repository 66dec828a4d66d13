"""From a server's words to our rule, the line they name, and the conversation that stands there."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from curator.dataset.rule import Rule, load_rules

ConversationOf = Callable[[int], int | None]
"""Return the conversation that stands in a line (1-based) of the training file; None if unknown."""

_PLACE: Final = (
    re.compile(r"Example (?P<line>\d+)(?:, message (?P<message>\d+))?"),
    re.compile(r"\(line (?P<line>\d+)\)"),
    re.compile(r"[Ll]ine (?P<line>\d+)"),
)
_FLAGGED: Final = re.compile(r"Flagged lines: (?P<lines>\d[\d, ]*)")
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
    """A failure put into our terms: what the server said, the rule it means, places and a way out."""

    said: str
    rule: str
    way_out: str
    lines: tuple[NamedLine, ...]

    @property
    def conversation(self) -> int | None:
        """The first conversation named, to open from the error."""
        return next((one.conversation for one in self.lines if one.conversation is not None), None)

    def sentence(self) -> str:
        """Return all of it as text for a person."""
        parts = [self.said.rstrip(".") + "." if self.said else "The server gave no reason."]
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


def explain_failure(said: str, conversation_of: ConversationOf = lambda _: None) -> Explained:
    """Put a server's failure text into our terms; unknown texts keep their words and any line they name."""
    rule = _find_rule(said)
    lines = tuple(
        NamedLine(line, message, conversation_of(line)) for line, message in _places(said)
    )
    return Explained(said, rule.id if rule else "", _way_out(said, rule), lines)


def _find_rule(said: str) -> Rule | None:
    for rule in load_rules().values():
        if any(re.search(text, said) for text in rule.provider_texts):
            return rule
    return None


def _places(said: str) -> list[tuple[int, int | None]]:
    flagged = _FLAGGED.search(said)
    if flagged:
        return [(int(number), None) for number in re.findall(r"\d+", flagged["lines"])]
    for pattern in _PLACE:
        found = pattern.search(said)
        if found:
            message = found.groupdict().get("message")
            return [(int(found["line"]), None if message is None else int(message))]
    return []


def _way_out(said: str, rule: Rule | None) -> str:
    for pattern, advice in _WAYS_OUT:
        if pattern.search(said):
            return advice
    return f"{rule.why} (rule {rule.id}: {rule.title})" if rule else ""
