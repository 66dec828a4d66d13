"""Replies to a bare prompt in the shape of the older completions endpoint."""

from collections.abc import Sequence
from typing import Any


def completion_choice(
    index: int, pieces: Sequence[dict[str, Any]], *, logprobs: bool, offset: int = 0
) -> dict[str, Any]:
    """Return a choice of some pieces of one reply; offset is how many characters came before them."""
    return {
        "index": index,
        "text": "".join(piece["text"] for piece in pieces),
        "finish_reason": pieces[-1].get("done"),
        "logprobs": _logprobs(pieces, offset) if logprobs else None,
    }


def _logprobs(pieces: Sequence[dict[str, Any]], offset: int) -> dict[str, Any]:
    tokens = [piece for piece in pieces if "token" in piece]
    offsets = []
    for piece in tokens:
        offsets.append(offset)
        offset += len(piece["token"])
    return {
        "tokens": [piece["token"] for piece in tokens],
        "token_logprobs": [piece["logprob"] for piece in tokens],
        "top_logprobs": [dict(piece["top"]) for piece in tokens],
        "text_offset": offsets,
    }
