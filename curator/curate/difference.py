"""What differs between two conversations: turns set side by side, and words within them."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

import regex

from curator.dataset.conversation import Conversation, Message
from curator.dataset.json_values import canonical, dumps

Kind = Literal["same", "gone", "new"]

# The words of regex keep their marks, those of re lose them.
_PIECES: Final = regex.compile(r"\w+|\s+|[^\w\s]")
_MOST_COMPARISONS: Final = 6_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of one side's text: same on both sides, gone (only left) or new (only right)."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class TurnPair:
    """Two turns set side by side; None stands where the other side has no such turn."""

    left: int | None
    right: int | None
    left_spans: tuple[Span, ...]
    right_spans: tuple[Span, ...]
    same: bool


def compare_conversations(left: Conversation, right: Conversation) -> list[TurnPair]:
    """Align the turns of two conversations and mark the words that differ."""
    a, b = left.messages, right.messages
    pairs: list[TurnPair] = []
    for i, j in _aligned(a, b):
        left_text = shown_text(a[i]) if i is not None else ""
        right_text = shown_text(b[j]) if j is not None else ""
        left_spans, right_spans = compare_texts(left_text, right_text)
        # As JSON: Python takes true and 1 for equal.
        same = i is not None and j is not None and _form(a[i]) == _form(b[j])
        pairs.append(TurnPair(i, j, left_spans, right_spans, same))
    return pairs


def _form(message: Message) -> str:
    return canonical(dict(message.fields))


def shown_text(message: Message) -> str:
    """Return what a turn says, its tool calls and any content that is no text included."""
    lines = [message.text] if message.text else []
    lines += [dumps(p) for p in message.parts if p.get("type") != "text"]
    lines += [f"{call.name}({_written(call.arguments)})" for call in message.tool_calls]
    return "\n".join(lines)


def compare_texts(left: str, right: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Return the spans of two texts; joined again, the spans of a side are its text."""
    if left == right:
        spans = (Span("same", left),) if left else ()
        return spans, spans
    a, b = _PIECES.findall(left), _PIECES.findall(right)
    start = _common(a, b)
    end = _common(a[start:][::-1], b[start:][::-1])
    a_stop, b_stop = len(a) - end, len(b) - end
    left_spans = [Span("same", "".join(a[:start]))]
    right_spans = [Span("same", "".join(b[:start]))]
    for tag, i1, i2, j1, j2 in _opcodes(a[start:a_stop], b[start:b_stop]):
        same = tag == "equal"
        left_spans.append(Span("same" if same else "gone", "".join(a[start + i1 : start + i2])))
        right_spans.append(Span("same" if same else "new", "".join(b[start + j1 : start + j2])))
    left_spans.append(Span("same", "".join(a[a_stop:])))
    right_spans.append(Span("same", "".join(b[b_stop:])))
    return _joined(left_spans), _joined(right_spans)


def _opcodes(a: list[str], b: list[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """Compare the middle of two texts word by word, or as one block where that would take too long."""
    if len(a) * len(b) > _MOST_COMPARISONS:
        return [("replace", 0, len(a), 0, len(b))]
    return SequenceMatcher(None, a, b, autojunk=False).get_opcodes()


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    """Return how many pieces two texts share at their beginning."""
    pairs = enumerate(zip(a, b, strict=False))
    return next((n for n, (x, y) in pairs if x != y), min(len(a), len(b)))


def _written(arguments: object) -> str:
    return arguments if isinstance(arguments, str) else dumps(arguments)


def _joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for span in spans:
        if not span.text:
            continue
        if joined and joined[-1].kind == span.kind:
            joined[-1] = Span(span.kind, joined[-1].text + span.text)
        else:
            joined.append(span)
    return tuple(joined)


def _aligned(a: Sequence[Message], b: Sequence[Message]) -> list[tuple[int | None, int | None]]:
    """Pair equal turns first, then within each gap turns of the same role in order."""
    left = [(m.role, shown_text(m)) for m in a]
    right = [(m.role, shown_text(m)) for m in b]
    pairs: list[tuple[int | None, int | None]] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            pairs += list(zip(range(i1, i2), range(j1, j2), strict=True))
        else:
            pairs += _paired_by_role(left, right, (i1, i2), (j1, j2))
    return pairs


def _paired_by_role(
    left: Sequence[tuple[str, str]],
    right: Sequence[tuple[str, str]],
    span: tuple[int, int],
    other: tuple[int, int],
) -> list[tuple[int | None, int | None]]:
    roles_left = [role for role, _ in left[span[0] : span[1]]]
    roles_right = [role for role, _ in right[other[0] : other[1]]]
    pairs: list[tuple[int | None, int | None]] = []
    matcher = SequenceMatcher(None, roles_left, roles_right, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        lefts = range(span[0] + i1, span[0] + i2)
        rights = range(other[0] + j1, other[0] + j2)
        if tag == "equal":
            pairs += list(zip(lefts, rights, strict=True))
        else:
            pairs += [(i, None) for i in lefts]
            pairs += [(None, j) for j in rights]
    return pairs
