"""The one typed decoder of JSON lines, ten times as fast as reading them into a conversation.

A plain line holds messages with role and content texts, and perhaps a weight on some: nothing that
the strict types do not name. Who needs no more than the texts reads them of other lines too.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType


# Fields stand in alphabetical order, so that the encoded struct is the canonical form of the value.
# Without reference cycles there is nothing for the collector of garbage to look at.
class PlainMessage(Struct, forbid_unknown_fields=True, gc=False):
    """One message of a plain line."""

    content: str
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    weight: int | UnsetType = UNSET


class PlainLine(Struct, forbid_unknown_fields=True, gc=False):
    """A whole plain line."""

    messages: Annotated[list[PlainMessage], Meta(min_length=1)]


class _Said(Struct, gc=False):
    content: str
    role: str = ""
    tool_calls: Any = None
    function_call: Any = None
    refusal: Any = None


class _SaidLine(Struct, gc=False):
    messages: list[_Said]
    tools: Any = None
    functions: Any = None


NOT_PLAIN: Final = (msgspec.MsgspecError, UnicodeError)
"""What decoding raises where a line is not what the types say."""

decode_plain: Final = msgspec.json.Decoder(PlainLine).decode
decode_plain_lines: Final = msgspec.json.Decoder(PlainLine).decode_lines
encode_plain: Final = msgspec.json.Encoder().encode
encode_plain_lines: Final = msgspec.json.Encoder().encode_lines
_decode_said: Final = msgspec.json.Decoder(_SaidLine).decode

_QUOTE, _BACKSLASH, _B, _U, _ZERO, _TWO, _SEVEN = b'"\\bu027'
_IS_CONTROL: Final = np.zeros(256, np.bool_)
_IS_CONTROL[list(b"01")] = True


def said(line: str, *, with_tools: bool = False) -> list[tuple[str, str]] | None:
    """Return role and text of each message where they hold nothing else to read; None otherwise.

    Keys that nobody reads (names, weights, ids) may stand there; with_tools refuses definitions of
    tools too. Of a key that stands twice the last counts, as everywhere.
    """
    try:
        read = _decode_said(line)
    except NOT_PLAIN:
        return None
    if with_tools and (read.tools or read.functions):
        return None
    if any(each.tool_calls or each.function_call or each.refusal for each in read.messages):
        return None
    return [(each.role, each.content) for each in read.messages]


def is_plain(line: bytes, parsed: PlainLine) -> bool:
    """Return whether a line that could be decoded is plain."""
    messages = parsed.messages
    return (
        all(message.content.strip() for message in messages)
        and (not is_weighted(parsed) or weights_are_usual(messages))
        and is_written_plainly([line], encode_plain(parsed))
    )


def is_written_plainly(lines: Sequence[bytes], encoded: bytes) -> bool:
    """Return whether plain lines repeat no key and hold no control character.

    A repeated key brings its quotes with it and no line can make up for it, so the lines and their
    canonical form have the same number of quotes only where no key stands twice; where quotes may be
    written as escapes the answer is no, and control characters can be written as escapes only.
    """
    data = b"\n".join(lines)
    codes = np.frombuffer(data, np.uint8)
    quotes = np.count_nonzero(np.frombuffer(encoded, np.uint8) == _QUOTE)
    if np.count_nonzero(codes == _QUOTE) != quotes or b"\x7f" in data:
        return False
    escapes = np.flatnonzero(codes == _BACKSLASH)
    # A backspace is \b; behind one more backslash the b is a letter, as in the LaTeX of a text.
    short = escapes[codes[escapes + 1] == _B]
    if ((codes[short - 1] != _BACKSLASH) | (codes[short - 2] == _BACKSLASH)).any():
        return False
    coded = escapes[codes[escapes + 1] == _U]
    coded = coded[(codes[coded + 2] == _ZERO) & (codes[coded + 3] == _ZERO)]
    third, fourth = codes[coded + 4], codes[coded + 5]
    return not (_IS_CONTROL[third] | ((third == _TWO) & (fourth == _TWO)) | (third == _SEVEN)).any()


def is_weighted(line: PlainLine) -> bool:
    """Return whether any message has a weight."""
    return any(message.weight is not UNSET for message in line.messages)


def weights_are_usual(messages: Sequence[PlainMessage]) -> bool:
    """Return whether the weights are 0 or 1, on answers only, and leave one to learn."""
    return all(
        m.weight is UNSET or (m.role == "assistant" and m.weight in (0, 1)) for m in messages
    ) and any(m.role == "assistant" and m.weight != 0 for m in messages)
