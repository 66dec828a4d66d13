"""What makes two conversations the same: hashes of the content, of the prompt and of the system prompt.

A hash is the first 8 bytes of a SHA-256 as a signed integer, so that it fits a database column.
"""

import unicodedata
from collections.abc import Sequence
from hashlib import sha256
from struct import Struct
from typing import Final

from curator.dataset import Conversation, Message

_BETWEEN: Final = "\0"
_FIRST_8: Final = Struct(">q").unpack_from


def hash_bytes(data: bytes) -> int:
    """Return the signed 64-bit hash of some bytes."""
    value: int = _FIRST_8(sha256(data).digest())[0]
    return value


def hash_text(text: str) -> int:
    """Return the signed 64-bit hash of a text; lone surrogates keep their own bytes."""
    return hash_bytes(text.encode("utf-8", "surrogatepass"))


def fold(text: str) -> str:
    """Return the text without what a reader overlooks: compatibility forms, case, white space runs."""
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    # The only white space that is printable is the plain space.
    if folded.isprintable() and "  " not in folded:
        return folded.strip()
    return " ".join(folded.split())


def fold_many(texts: Sequence[str]) -> list[str]:
    """Return the fold of each text; many together cost half of one by one."""
    # Normal forms reach no further than the text; letters are folded one by one, so all at once.
    whole = _BETWEEN.join(t if t.isascii() else unicodedata.normalize("NFKC", t) for t in texts)
    parts = (whole.lower() if whole.isascii() else whole.casefold()).split(_BETWEEN)
    if len(parts) != len(texts):
        return list(map(fold, texts))  # one of them holds the sign that stands between them
    return [
        part.strip() if part.isprintable() and "  " not in part else " ".join(part.split())
        for part in parts
    ]


def hash_texts(texts: Sequence[str]) -> list[int]:
    """Return the signed 64-bit hash of each text, none of which holds a lone surrogate."""
    return [_FIRST_8(sha256(text.encode()).digest())[0] for text in texts]


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
