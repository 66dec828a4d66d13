"""What makes two conversations the same: hashes of the content, of the prompt and of the system prompt.

A hash is the first 8 bytes of a SHA-256 as a signed integer, so that it fits a database column.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from struct import Struct
from typing import Final
from unicodedata import normalize

import numpy as np
import numpy.typing as npt

from curator.dataset import Conversation, Message

Hashes = npt.NDArray[np.int64]

_FIRST_8: Final = Struct(">q").unpack_from
# White space that the compatibility form leaves as it is.
_SPACES: Final = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u1680\u2028\u2029"


def hash_bytes(data: bytes) -> int:
    """Return the signed 64-bit hash of some bytes."""
    value: int = _FIRST_8(sha256(data).digest())[0]
    return value


def hash_text(text: str) -> int:
    """Return the signed 64-bit hash of a text; lone surrogates keep their own bytes."""
    return hash_bytes(text.encode("utf-8", "surrogatepass"))


def fold(text: str) -> str:
    """Return the text without what a reader overlooks: compatibility forms, case, white space runs."""
    return _with_single_spaces(
        text.lower() if text.isascii() else normalize("NFKC", text).casefold()
    )


def _with_single_spaces(text: str) -> str:
    # The only white space that is printable is the plain space.
    if text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(text.split())


def hash_all(pieces: Iterable[bytes]) -> Hashes:
    """Return the signed 64-bit hash of each piece."""
    digests = b"".join([sha256(piece).digest() for piece in pieces])
    return np.frombuffer(digests, ">i8")[::4].astype(np.int64)


def hash_folded(texts: Sequence[str]) -> Hashes:
    """Return the signed 64-bit hash of the fold of each text, none of which holds a lone surrogate."""
    folded = [t.lower() if t.isascii() else normalize("NFKC", t).casefold() for t in texts]
    whole = "\0".join(["", *folded, ""])
    if whole.count("\0") != len(texts) + 1:
        return hash_all(_with_single_spaces(text).encode() for text in folded)
    for space in _SPACES:
        if space in whole:
            whole = whole.replace(space, " ")
    data = whole.encode()
    pieces = data.split(b"\0")[1:-1]
    for row in _loosely_spaced(data):
        pieces[row] = b" ".join(pieces[row].split())
    return hash_all(pieces)


def _loosely_spaced(data: bytes) -> list[int]:
    """Return which pieces between zeros hold a space at an end or beside another space, or nothing."""
    codes = np.frombuffer(data, np.uint8)
    ends = codes == 0
    gaps = ends | (codes == 32)
    doubled = np.flatnonzero(gaps[:-1] & gaps[1:])
    if not len(doubled):
        return []
    rows: list[int] = np.unique(np.searchsorted(np.flatnonzero(ends), doubled, "right")).tolist()
    return [row - 1 for row in rows]


def content_hash(conversation: Conversation) -> int:
    """Return the hash that equal conversations share, whatever their spacing and key order."""
    return hash_text(conversation.canonical())


def prompt_hash(conversation: Conversation) -> int:
    """Return the hash of the folded prompt: user and tool texts before the last assistant message."""
    return hash_text(fold(prompt(conversation.messages)))


def prompt(messages: Sequence[Message]) -> str:
    """Return what is asked: user and tool texts before the last assistant message, or all of them."""
    answers = [i for i, message in enumerate(messages) if message.role == "assistant"]
    asked = messages[: answers[-1]] if answers else messages
    return "\n".join(m.text for m in asked if m.role in ("user", "tool"))


def system_hash(conversation: Conversation) -> int:
    """Return the hash of the system prompt; 0 where there is none."""
    text = conversation.system_prompt
    return hash_text(text) if text else 0
