"""A quick proof that a text holds nothing for the rules on texts (F10, L03, P01, P02).

Most texts are plain words; without lower-case letters, spaces and signs of prose little is left of
them, and that little is searched. Each rule's pattern cannot match without the sign tested here.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

# Deleting brings other characters together but never parts those of a sign that is left whole. The
# byte 0xEF stays for the full-width bar of "<｜".
_PROSE: Final = (
    b"abcdefghijklmnopqrstuvwxyz ,.\n'" + b'"\\:{}[' + bytes({*range(0x80, 0x100)} - {0xEF})
)
_SHAPE: Final = bytes(48 if 48 <= b <= 57 else 45 if b in b" -" else 120 for b in range(256))
# Each begins with one literal character, which the engine finds as fast as memory can be read.
_PHONE: Final = re.compile(rb"\+[1-9][0-9 ()-]{7}")
_LINE: Final = re.compile(
    rb"_(?:(?<=k_)(?:live|test)_|(?<=gh[pousr]_)|(?<=github_pat_)|(?<=hf_)|of_turn>)"
)
_DASH: Final = re.compile(rb"-(?:(?<=sk-)[\w-]{20}|----BEGIN|(?<=glpat-)|(?<=xox[abeprs]-))")
_CAPITAL: Final = re.compile(rb"I(?:(?<=AKI)A|(?<=ASI)A|NST\]|(?<=AI))")

_PROSE_IN_LINE: Final = _PROSE.replace(b"\n", b"")
_SIGNS_LEFT: Final = (b"@", b"<|", b"<\xef", b"AKIA", b"ASIA", b"INST]", b"SYS>>")
_SIGNS_WHOLE: Final = (b"AIza", b"eyJ", b"AccountKey=")
_GROUPS: Final = (b"00000000", b"0000-0000")


def needs_reading(text: str) -> bool:
    """Say whether a text may hold something for the rules on texts; false proves that it does not."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return True
    return bytes_need_reading(data)


def bytes_need_reading(data: bytes) -> bool:
    """Say the same of UTF-8, or of texts written as JSON with non-ASCII characters as they are."""
    left = data.translate(None, _PROSE)
    return (
        b"@" in left
        or b"<|" in left
        or b"<\xef" in left
        or (b"_" in left and _LINE.search(data) is not None)
        or (b"-" in left and _DASH.search(data) is not None)
        or (b"+" in left and _PHONE.search(data) is not None)
        # What is left of most texts shows that they have no groups of figures.
        or (_has_groups(left) and _has_groups(data))
        or _has_capital_sign(left, data)
    )


def which_need_reading(lines: Sequence[bytes]) -> set[int]:
    """Return the numbers of all JSON lines that bytes_need_reading is true of, perhaps more.

    One pass over many lines costs less than many small ones.
    """
    data = b"\n".join(lines)
    left = data.translate(None, _PROSE_IN_LINE)
    found = {row for sign in _SIGNS_LEFT for row in _rows_with(sign, left)}
    shape = left.translate(_SHAPE)
    for row in (row for sign in _GROUPS for row in _rows_with(sign, shape, left)):
        if _has_groups(lines[row]):
            found.add(row)
    places = [m.start() for pattern in (_LINE, _DASH, _PHONE) for m in pattern.finditer(data)]
    places += [at for sign in _SIGNS_WHOLE for at in _places_of(sign, data)]
    if places:
        ends = list(accumulate(len(line) + 1 for line in lines))
        found.update(bisect_right(ends, at) for at in places)
    return found


def _rows_with(sign: bytes, data: bytes, lines: bytes | None = None) -> Iterator[int]:
    """Yield each row that holds a sign; lines tells where rows end where data does not."""
    lines = data if lines is None else lines
    row = counted = 0
    at = data.find(sign)
    while at >= 0:
        row += lines.count(b"\n", counted, at)
        yield row
        counted = lines.find(b"\n", at)
        at = data.find(sign, counted) if counted >= 0 else -1


def _places_of(sign: bytes, data: bytes) -> Iterator[int]:
    at = data.find(sign)
    while at >= 0:
        yield at
        at = data.find(sign, at + 1)


def _has_groups(data: bytes) -> bool:
    """Look for eight figures in a row, or two groups of four."""
    shape = data.translate(_SHAPE)
    return any(sign in shape for sign in _GROUPS)


def _has_capital_sign(left: bytes, data: bytes) -> bool:
    found = _CAPITAL.search(left)
    return (
        # Of AIza the capitals are left, as of many words; the other signs stand as they are.
        (found is not None and (b"AIza" in data or _has_key_id(left)))
        or (b"J" in left and b"eyJ" in data)
        or b"SYS>>" in left
        or (b"AK=" in left and b"AccountKey=" in data)
    )


def _has_key_id(left: bytes) -> bool:
    return b"AKIA" in left or b"ASIA" in left or b"INST]" in left
