"""Characters that nobody sees, and where they are rightly used.

Joiners shape Persian, Indic and other scripts and hold emoji together, direction marks order Hebrew
and Arabic beside numbers, variation selectors choose the form of a sign, tags spell the flags of
England, Scotland and Wales. Anywhere else such a character is a left-over or was put there to hide.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

RANGES: Final = (
    (0x00, 0x08),  # control characters that are no white space
    (0x0E, 0x1F),
    (0x7F, 0x7F),
    (0xAD, 0xAD),  # soft hyphen
    (0x34F, 0x34F),  # combining grapheme joiner
    (0x61C, 0x61C),  # Arabic letter mark
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian selectors
    (0x200B, 0x200F),  # zero width space, joiners, direction marks
    (0x202A, 0x202E),  # direction embeddings and overrides
    (0x2060, 0x206F),  # word joiner, invisible operators, direction isolates
    (0x3164, 0x3164),  # Hangul filler
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFEFF, 0xFEFF),  # byte-order mark
    (0xFFA0, 0xFFA0),  # half-width Hangul filler
    (0xFFF9, 0xFFFB),  # interlinear annotation
    (0x1BCA0, 0x1BCA3),  # shorthand controls
    (0x1D173, 0x1D17A),  # musical controls
    (0xE0000, 0xE0FFF),  # tags, more variation selectors
)
INVISIBLE: Final = re.compile(
    "[" + "".join(f"{re.escape(chr(a))}-{re.escape(chr(b))}" for a, b in RANGES) + "]"
)
"""Characters without a shape of their own, which may or may not have work to do where they stand."""

_BLANK: Final = re.compile(rf"(?:\s|\u2800|[\x80-\x9f]|{INVISIBLE.pattern})*")
_FLAG: Final = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
_JOINED: Final = re.compile(
    "[\u0600-\u109f\u1700-\u18af\u1900-\u1cff\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc"
    "\U00010a00-\U00011fff\U0001e900-\U0001e95f]"
)
# Thai, Lao, Tibetan, Myanmar, Khmer and their neighbours write no spaces between words.
_UNSPACED: Final = re.compile("[\u0e00-\u109f\u1780-\u17ff\u1900-\u1aaf\uaa60-\uaa7f]")
_MONGOLIAN: Final = re.compile("[\u1800-\u18af]")
_IDEOGRAPH: Final = re.compile("[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_JAMO: Final = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")
_EMOJI_END: Final = re.compile("[\ufe0f\U0001f3fb-\U0001f3ff\U000e007f]")
_CLOSES: Final = {"\u202a": "\u202c", "\u202b": "\u202c"} | dict.fromkeys(
    "\u2066\u2067\u2068", "\u2069"
)


class Unseen(NamedTuple):
    """Where an invisible character without work to do stands, and its name."""

    at: int
    name: str


def is_blank(text: str) -> bool:
    """Say whether a text holds nothing that a reader sees."""
    return _BLANK.fullmatch(text) is not None


def unseen(text: str) -> Iterator[Unseen]:
    """Yield each invisible character that has no work to do where it stands."""
    found = list(INVISIBLE.finditer(text))
    if not found:
        return
    flags = {at for match in _FLAG.finditer(text) for at in range(match.start() + 1, match.end())}
    ordered = _ordering(text)
    for match in found:
        at = match.start()
        if at not in flags and at not in ordered and not _has_work(text, at):
            yield Unseen(at, name_of(match[0]))


def without_unseen(text: str) -> str:
    """Return a text without the invisible characters that have no work to do."""
    for each in reversed(list(unseen(text))):
        text = text[: each.at] + text[each.at + 1 :]
    return text


def name_of(character: str) -> str:
    """Return a character's code and what Unicode calls it, such as U+200B ZERO WIDTH SPACE."""
    name = unicodedata.name(character, "a control character")
    return f"U+{ord(character):04X} {name}"


def _ordering(text: str) -> set[int]:
    """Return where marks of direction stand that a text with right-to-left letters may need."""
    letters = (c for c in text if c > "\u0590" and not INVISIBLE.match(c))
    if not any(unicodedata.bidirectional(c) in ("R", "AL") for c in letters):
        return set()
    places: set[int] = set()
    opened: list[tuple[int, str]] = []
    for at, character in enumerate(text):
        if character in "\u200e\u200f\u061c":
            places.add(at)
        elif character in _CLOSES:
            opened.append((at, _CLOSES[character]))
        elif opened and character == opened[-1][1]:
            # What overrides the order of letters, and what stays open, may show a text that is not there.
            places.update((opened.pop()[0], at))
    return places


def _has_work(text: str, at: int) -> bool:
    character = text[at]
    before, after = _neighbour(text, at, -1), _neighbour(text, at, 1)
    both = before + after
    if character in "\u200c\u200d":
        return bool(_JOINED.search(both)) or (character == "\u200d" and _joins_emoji(text, at))
    if "\ufe00" <= character <= "\ufe0f":
        return _may_vary(text[at - 1] if at else "")
    if character >= "\U000e0100":
        return at > 0 and bool(_IDEOGRAPH.match(text[at - 1]))
    rightful = {
        "\u200b": _UNSPACED,
        "\u2060": _UNSPACED,
        "\u115f": _JAMO,
        "\u1160": _JAMO,
        "\u17b4": _UNSPACED,
        "\u17b5": _UNSPACED,
    }.get(character, _MONGOLIAN if "\u180b" <= character <= "\u180f" else None)
    if character == "\u034f":
        return at > 0 and unicodedata.combining(text[at - 1]) > 0
    return rightful is not None and bool(rightful.search(both))


def _neighbour(text: str, at: int, step: int) -> str:
    """Return the next character on one side that is no joiner; empty at an end."""
    at += step
    while 0 <= at < len(text) and text[at] in "\u200c\u200d\u200b":
        at += step
    return text[at] if 0 <= at < len(text) else ""


def _joins_emoji(text: str, at: int) -> bool:
    if not 0 < at < len(text) - 1:
        return False
    before, after = text[at - 1], text[at + 1]
    joins = unicodedata.category(before) == "So" or _EMOJI_END.match(before) is not None
    return joins and unicodedata.category(after) in ("So", "Sm", "Po")


def _may_vary(base: str) -> bool:
    """Say whether a variation selector may stand behind a character: signs, figures, some scripts."""
    if not base or base.isspace() or INVISIBLE.match(base):
        return False
    if not base.isalpha() or base == "\u2139":
        return True
    return bool(_IDEOGRAPH.match(base) or _JOINED.match(base) or base >= "\U0001d400")
