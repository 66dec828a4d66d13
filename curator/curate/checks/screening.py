"""A quick proof that a text holds nothing for the rules on texts (F10 to F13, S08, L03, P01, P02).

Most texts are plain words; without lower-case letters, spaces and signs of prose little is left of
them, and that little is searched. Each rule's pattern cannot match without the sign tested here.
Lost, doubly encoded and invisible characters are looked for in texts, not in JSON: by
`odd_characters`, and control characters, which JSON writes as escapes, one by one.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Final

from curator.curate.checks.odd_characters import odd_characters

# Deleting brings other characters together but never parts those of a sign that is left whole. The
# byte 0xEF stays for the full-width bar of "<｜".
_PROSE: Final = (
    b"abcdefghijklmnopqrstuvwxyz ,.\n'" + b'"\\:{}[' + bytes({*range(0x80, 0x100)} - {0xEF})
)
_SHAPE: Final = bytes(48 if 48 <= b <= 57 else 45 if b in b" -" else 120 for b in range(256))
_GROUPS: Final = (b"00000000", b"0000-0000")
# What such groups begin in a card number, and what stands before or over them in a bank account number.
_CARD: Final = re.compile(rb"[2-6][0-9]{3}[ -]?[0-9]{4,6}[ -]?[0-9]{4}")
_ACCOUNT: Final = re.compile(rb"[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4}")
# What is left of a phone number has 9 figures behind its sign once brackets and dashes are gone, of a
# card or bank account number 15 figures or capitals.
_FIGURES: Final = bytes(48 if 48 <= b <= 57 else b for b in range(256))
_CAPITALS: Final = bytes(48 if 65 <= b <= 90 else b for b in range(256))
_PHONE, _NUMBER = b"+000000000", b"000000000000000"
# Each begins with one rare character, which is found as fast as memory can be read.
_LINE: Final = re.compile(
    rb"_(?:(?<=k_)(?:live|test)_|(?<=gh[pousr]_)|(?<=github_pat_)|(?<=hf_)|of_turn>)"
)
_DASH: Final = re.compile(rb"-(?:(?<=sk-)[\w-]{20}|----BEGIN|(?<=glpat-)|(?<=xox[abeprs]-))")
_KEYS: Final = (
    (b"_", _LINE),
    (b"-", _DASH),
    (b"z", re.compile(rb"z(?<=AIz)a")),
    (b"J", re.compile(rb"J(?<=eyJ)")),
    (b"K", re.compile(rb"K(?<=AccountK)ey=")),
)

_PROSE_IN_LINE: Final = _PROSE.replace(b"\n", b"")
# An address has a dot in the host after its sign, or a scheme before it.
_HOST: Final = re.compile(rb"@[A-Za-z0-9-]{1,63}\.[A-Za-z0-9-]")
_SIGNS: Final = (b"<|", b"<\xef", b"AKIA", b"ASIA", b"INST]", b"SYS>>")


CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
"""The control characters that are no white space."""


def needs_reading(text: str) -> bool:
    """Say whether a text may hold something for the rules on texts; false proves that it does not."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return True
    return (
        CONTROL.search(text) is not None or bool(odd_characters([text])) or bytes_need_reading(data)
    )


def texts_to_read(texts: Sequence[str]) -> set[int]:
    """Return the numbers of all texts that needs_reading is true of, perhaps more, in one pass."""
    try:
        # A space for a line break brings figures nearer together, so nothing is overlooked.
        data = "\n".join([text.replace("\n", " ") for text in texts]).encode()
    except UnicodeEncodeError:
        return {number for number, text in enumerate(texts) if needs_reading(text)}
    found = which_need_reading(data.split(b"\n"), data) if texts else set()
    found.update(odd_characters(texts))
    return found.union(number for number, text in enumerate(texts) if CONTROL.search(text))


def bytes_need_reading(data: bytes) -> bool:
    """Say it of UTF-8, or of texts written as JSON with non-ASCII characters as they are, odd ones aside."""
    left = data.translate(None, _PROSE)
    return (
        any(sign in left for sign in _SIGNS)
        or (b"_" in left and _LINE.search(data) is not None)
        or (b"-" in left and _DASH.search(data) is not None)
        or _PHONE in (figures := left.translate(_FIGURES, b"()-"))
        or (_NUMBER in figures.translate(_CAPITALS) and _has_number(data))
        or any(sign in left and is_there(data) for sign, is_there in _TRACES)
    )


def which_need_reading(lines: Sequence[bytes], data: bytes) -> set[int]:
    """Return the numbers of all JSON lines that bytes_need_reading is true of, perhaps more.

    data holds all of them, with line ends between: one pass over it costs less than many small ones.
    """
    left = data.translate(None, _PROSE_IN_LINE)
    found = {row for sign in _SIGNS for row in _rows_with(sign, left)}
    found.update(row for row in _rows_with(b"@", left) if _may_be_address(lines[row]))
    figures = left.translate(_FIGURES, b"()-")
    found.update(_rows_with(_PHONE, figures))
    numbers = _rows_with(_NUMBER, figures.translate(_CAPITALS))
    found.update(row for row in numbers if _has_number(lines[row]))
    places = [at for sign, pattern in _KEYS for at in _places(data, sign, pattern)]
    if places:
        ends = list(accumulate(len(line) + 1 for line in lines))
        found.update(bisect_right(ends, at) for at in places)
    return found


def _places(data: bytes, sign: bytes, pattern: re.Pattern[bytes]) -> Iterator[int]:
    """Return where a pattern is found; the sign it begins with is rare and leads there."""
    return (at for at in _all_places(data, sign) if pattern.match(data, at))


def _rows_with(sign: bytes, data: bytes) -> Iterator[int]:
    """Yield each row that holds a sign."""
    row = counted = 0
    at = data.find(sign)
    while at >= 0:
        row += data.count(b"\n", counted, at)
        yield row
        counted = data.find(b"\n", at)
        at = data.find(sign, counted) if counted >= 0 else -1


def _has_number(data: bytes) -> bool:
    """Look for a card or bank account number by eight figures in a row, or two groups of four."""
    shape = data.translate(_SHAPE)
    return any(
        _CARD.match(data, at) or _ACCOUNT.search(data, max(0, at - 43), at + 12)
        for sign in _GROUPS
        for at in _all_places(shape, sign)
    )


def _all_places(data: bytes, sign: bytes) -> Iterator[int]:
    at = data.find(sign)
    while at >= 0:
        yield at
        at = data.find(sign, at + 1)


def _may_be_address(data: bytes) -> bool:
    return b"://" in data or _HOST.search(data) is not None


# What is left of a sign that is not left whole, and how to see whether it was that sign.
_TRACES: Final[tuple[tuple[bytes, Callable[[bytes], bool]], ...]] = (
    (b"@", _may_be_address),
    (b"AI", lambda data: b"AIza" in data),
    (b"J", lambda data: b"eyJ" in data),
    (b"AK=", lambda data: b"AccountKey=" in data),
)
