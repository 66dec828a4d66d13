"""Find and replace over many conversations: every place shown first, then one edit."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from curator.curate.checks import holds_two_values
from curator.curate.search.replace import Hit, Replacer, Search
from curator.dataset import ContentPatch, Conversation, Edit
from curator.dataset.edit import Patch
from curator.dataset.errors import Cancelled
from curator.dataset.json_values import BadJson
from curator.dataset.progress import CancelledCall
from curator.project.store.reader import Reader

MOST_SHOWN: Final = 5_000
"""More hits than this are counted and replaced, but not listed."""

_EVERY: Final = 500

Place = tuple[int, int, int | None, int]
"""One hit: conversation, message, part, start."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: the listed hits with their conversation, and how many there are in all."""

    hits: tuple[tuple[int, Hit], ...]
    total: int
    conversations: tuple[int, ...]


def find(
    reader: Reader,
    ids: Sequence[int],
    search: Search,
    progress: Callable[[int, int, str], None],
    cancelled: CancelledCall,
) -> Found:
    """Return the hits in these conversations; raises WrongUse for a wrong search, and Cancelled."""
    replacer = Replacer(search)
    listed: list[tuple[int, Hit]] = []
    total = 0
    touched: list[int] = []
    for number, (conversation, line) in enumerate(reader.iterate(ids)):
        if number % _EVERY == 0:
            progress(number, len(ids), "")
        if cancelled():
            raise Cancelled("find")
        hits = _hits(replacer, line)
        if hits:
            touched.append(conversation)
            total += len(hits)
            listed += [(conversation, hit) for hit in hits[: MOST_SHOWN - len(listed)]]
    return Found(tuple(listed), total, tuple(touched))


def replacing(
    reader: Reader,
    ids: Sequence[int],
    search: Search,
    left_out: Collection[Place],
    author: str,
    progress: Callable[[int, int, str], None],
    cancelled: CancelledCall,
) -> Edit | None:
    """Return the one edit that replaces every hit but those left out; None where none is left."""
    replacer = Replacer(search)
    without: dict[int, set[tuple[int, int | None, int]]] = {}
    for conversation, message, part, start in left_out:
        without.setdefault(conversation, set()).add((message, part, start))
    patches: list[Patch] = []
    for number, (conversation, line) in enumerate(reader.iterate(ids)):
        if number % _EVERY == 0:
            progress(number, len(ids), "")
        if cancelled():
            raise Cancelled("replace")
        before = _parsed(line)
        if before is None:
            continue
        after = replacer.replaced(before, without.get(conversation, ()))
        if after is not before and not holds_two_values(line):
            patches.append(ContentPatch(conversation, line, after.to_json()))
    if not patches:
        return None
    title = f'Replace "{search.find[:40]}" with "{search.replace[:40]}"'
    return Edit(title, author, tuple(patches))


def _hits(replacer: Replacer, line: str) -> tuple[Hit, ...]:
    if not replacer.may_match(line):
        return ()
    conversation = _parsed(line)
    hits = replacer.hits(conversation) if conversation is not None else ()
    # A line in which a key has two values would lose one of them when it is written anew.
    return () if hits and holds_two_values(line) else hits


def _parsed(line: str) -> Conversation | None:
    try:
        return Conversation.parse(line)
    except BadJson:
        # Import refuses such lines; one that got in another way is simply not searched.
        return None
