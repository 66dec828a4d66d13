"""Pairs that somebody marked as no duplicates: each mark is a setting of its own, so one more costs the same."""

from collections.abc import Iterable, Iterator
from typing import Final

from curator.curate.duplicates.shingles import Ints
from curator.dataset import Edit, SettingPatch
from curator.project.store.reader import Reader

PREFIX: Final = "not_duplicate:"
"""How the setting of a marked pair begins; the two ids follow, the smaller first."""

_LIST: Final = "not_duplicates"
# Earlier versions kept all pairs in this one setting; what stands there counts on.


def is_mark(setting: str) -> bool:
    """Return whether a setting marks pairs."""
    return setting.startswith(PREFIX) or setting == _LIST


def parting(reader: Reader, pairs: Iterable[tuple[int, int]]) -> Edit:
    """Return the edit that marks pairs as no duplicates, so that they are not shown again."""
    names = dict.fromkeys(f"{PREFIX}{min(pair)}:{max(pair)}" for pair in pairs)
    patches = [
        SettingPatch(name, None, after=True) for name in names if reader.setting(name) is None
    ]
    return Edit("Not a duplicate", str(getattr(reader, "author", "")), tuple(patches))


def marks(reader: Reader) -> Iterator[tuple[int, int]]:
    """Yield the ids of every marked pair."""
    yield from reader.setting(_LIST, [])
    for name in reader.settings_named(PREFIX):
        first, _, second = name.removeprefix(PREFIX).partition(":")
        yield int(first), int(second)


def marked_places(reader: Reader, ids: Ints) -> list[tuple[int, int]]:
    """Return the marked pairs among some conversations, as places in ids."""
    pairs = list(marks(reader))
    if not pairs:
        return []
    places = {id_: row for row, id_ in enumerate(ids.tolist())}
    return [(places[a], places[b]) for a, b in pairs if a in places and b in places]
