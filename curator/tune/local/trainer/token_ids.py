"""Token ids of a rendered conversation in which what people wrote never becomes a control token."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from curator.tune.local.bases.base_folders import end_tokens_of
from curator.tune.local.trainer.template_messages import TemplateRefused

_ANCHOR: Final = "\n"
_UNWRITABLE: Final = "it holds characters that the base's tokenizer cannot write"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text and its ids."""

    start: int
    end: int
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Control:
    """The tokens that steer a base: their ids, and how they are spelled."""

    ids: frozenset[int]
    spelled: re.Pattern[str]


def pieces(
    tokenizer: Any, text: str, spans: Sequence[tuple[int, int]], cuts: Iterable[int]
) -> list[Piece]:
    """Return a text's ids in stretches that end at least at every cut; spans is what people wrote."""
    control = _control(tokenizer)
    spelled = [(low, high) for low, high in spans if control.spelled.search(text, low, high)]
    found = _encoded_pieces(tokenizer, text, spelled, cuts)
    wanted = sum(len(control.spelled.findall(gap)) for gap in _gaps(text, spans))
    if sum(token in control.ids for piece in found for token in piece.ids) != wanted:
        # Two texts that meet may spell one, or the tokenizer finds it in another spelling.
        found = _encoded_pieces(tokenizer, text, spans, cuts)
    return found


def plain_ids(tokenizer: Any, text: str, *, first: bool = True) -> list[int]:
    """Return the ids of a text in which nothing is a control token, whatever it looks like.

    first tells that nothing stands before it. Raises TemplateRefused where that cannot be done.
    """
    control = _control(tokenizer)
    ids = _ids(tokenizer, text, plain=True, first=first)
    if not control.ids.intersection(ids):
        return ids
    # Tokens that were added without being called special are found even so, unless they are broken up.
    places = [match.start() + 1 for match in control.spelled.finditer(text)]
    ends = [0, *places, len(text)]
    parts = [text[low:high] for low, high in pairwise(ends) if low < high]
    ids = [
        token
        for number, part in enumerate(parts)
        for token in _ids(tokenizer, part, plain=True, first=first and number == 0)
    ]
    left = control.ids.intersection(ids)
    if left and left <= {getattr(tokenizer, "unk_token_id", None)}:
        raise TemplateRefused(_UNWRITABLE)
    if left:
        raise TemplateRefused("it holds a control token that this base cannot read as text")
    return ids


def end_ids(tokenizer: Any) -> frozenset[int]:
    """Return the tokens that end a reply: the tokenizer's, and those of the base's own settings."""
    place = Path(str(getattr(tokenizer, "name_or_path", "") or "?"))
    more = end_tokens_of(place) if place.is_dir() else ()
    own = tokenizer.eos_token_id
    return frozenset((*more, *(() if own is None else (own,))))


def require_whole(tokenizer: Any, ids: Sequence[int], text: str) -> None:
    """Raise TemplateRefused where ids do not spell a text, white space aside."""
    if squeezed(tokenizer.decode(list(ids))) != squeezed(text):
        raise TemplateRefused(_UNWRITABLE)


def require_no_control(tokenizer: Any, texts: Iterable[str]) -> None:
    """Raise TemplateRefused for a control token where it could not be kept as text."""
    spelled = _control(tokenizer).spelled
    found = next(filter(None, map(spelled.search, texts)), None)
    if found:
        raise TemplateRefused(f"it holds the control token {found[0]} in an id, a type or a key")


def squeezed(text: str) -> str:
    """Return a text without its white space, accents composed: what no tokenizer may change."""
    return "".join(unicodedata.normalize("NFC", text).split())


def _control(tokenizer: Any) -> _Control:
    added = tokenizer.get_added_vocab()
    written = getattr(tokenizer, "chat_template", None) or ""
    template = written if isinstance(written, str) else " ".join(map(str, written.values()))
    special = set(tokenizer.all_special_tokens)
    # A word that was given a token of its own is no control token; one the template writes is.
    names = sorted(special | {name for name in added if name in template}, key=len, reverse=True)
    names = [name for name in names if name]
    ids = frozenset(
        added[name] if name in added else tokenizer.convert_tokens_to_ids(name) for name in names
    )
    return _Control(ids, re.compile("|".join(map(re.escape, names)) or r"(?!)"))


def _gaps(text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """Return what the template itself wrote."""
    found, place = [], 0
    for low, high in sorted(spans):
        if low > place:
            found.append(text[place:low])
        place = max(place, high)
    return [*found, text[place:]]


def _encoded_pieces(
    tokenizer: Any, text: str, plain: Sequence[tuple[int, int]], cuts: Iterable[int]
) -> list[Piece]:
    edges = {0, len(text), *cuts, *(edge for span in plain for edge in span)}
    ordered = sorted(edge for edge in edges if 0 <= edge <= len(text))
    found = []
    for low, high in pairwise(ordered):
        part, first = text[low:high], low == 0
        if any(start <= low and high <= end for start, end in plain):
            ids = plain_ids(tokenizer, part, first=first)
        else:
            ids = _ids(tokenizer, part, plain=False, first=first)
        found.append(Piece(low, high, tuple(ids)))
    return found


def _ids(tokenizer: Any, text: str, *, plain: bool, first: bool) -> list[int]:
    """Encode a stretch; where a tokenizer puts a space before every text, not before one in the middle."""

    def encoded(what: str) -> list[int]:
        found = tokenizer(what, add_special_tokens=False, split_special_tokens=plain)
        return list(found["input_ids"])

    if first:
        return encoded(text)
    anchor, word = encoded(_ANCHOR), encoded("x")
    if encoded(_ANCHOR + "x") == [*anchor, *word]:
        return encoded(text)
    ids = encoded(_ANCHOR + text)
    return ids[len(anchor) :] if ids[: len(anchor)] == anchor else encoded(text)
