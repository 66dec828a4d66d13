"""What makes two conversations the same: hashes of the content, of the prompt and of the system prompt.

A hash is the first 8 bytes of a SHA-256 as a signed integer, so that it fits a database column.
"""

from collections.abc import Sequence
from hashlib import sha256
from struct import Struct
from typing import Final
from unicodedata import normalize

from curator.dataset import Conversation, Message

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


def hash_folded(texts: Sequence[str]) -> list[int]:
    """Return the signed 64-bit hash of the fold of each text, none of which holds a lone surrogate."""
    folded = [t.lower() if t.isascii() else normalize("NFKC", t).casefold() for t in texts]
    # One look at all of them proves of most that they hold no white space but plain spaces.
    whole = "".join(folded)
    if any(space in whole for space in _SPACES):
        plain = [_with_single_spaces(text) for text in folded]
    else:
        plain = [" ".join(t.split()) if "  " in t else t.strip() for t in folded]
    return [_FIRST_8(sha256(text.encode()).digest())[0] for text in plain]


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
