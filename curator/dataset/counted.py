"""How many there are of something, in words: one of it, or several."""

from collections.abc import Sequence
from typing import Final

_HISSING: Final = ("s", "x", "z", "ch", "sh")


def counted(number: int, one: str, many: str = "") -> str:
    """Say a number with what it counts, such as 1 conversation or 2,000 conversations.

    many is needed only where it is not the plural of one's last word, as in (row is, rows are).
    """
    return f"{number:,} {one if number == 1 else many or plural(one)}"


def first_of(items: Sequence[object], most: int) -> str:
    """Return the first of some names or numbers as a list, with an ellipsis where there are more."""
    shown = ", ".join(map(str, items[:most]))
    return f"{shown}, …" if len(items) > most else shown


def plural(one: str) -> str:
    """Return the plural of a regular English noun."""
    if one.endswith("y") and one[-2:-1] not in "aeiou":
        return f"{one[:-1]}ies"
    # The ch of an epoch is a k.
    return f"{one}es" if one.endswith(_HISSING) and not one.endswith("epoch") else f"{one}s"
