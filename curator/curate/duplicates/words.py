"""Words as Unicode has them: what the comparison of texts is made of.

A word is a run of letters, marks, figures and underscores (Unicode's `\\w`, annex C of UTS #18, which
Python's leaves the marks out of) with what extends a letter (rule WB4 of UAX #29: marks, joiners,
format characters). A letter of a script written without spaces is a word of its own with its marks,
and so is a pictograph. Unlike UAX #29, apostrophes and full stops separate words, as in the published
lists of duplicate pairs that the search is tested with. Texts are compared in NFC and without case,
not in NFKC: superscript and full-width digits stay what they are, so 10² is not 102.
"""

import re
from functools import cache
from typing import Final

from curator.curate.analysis.identity import normalise

# Thai, Lao, kana and Chinese characters; hangul too is compared by the syllable.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_EXTENDS: Final = r"[\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}]"
_PICTOGRAPH: Final = r"\p{Extended_Pictographic}"

_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]").search
_ASCII: Final = re.compile("[a-z0-9_]+").findall
_NO_WORDS: Final = "\t"
# For ASCII: each byte of a word in lower case, every other one as a space.
_ASCII_TABLE: Final = bytes(
    ord(sign.lower()) if sign.isascii() and (sign.isalnum() or sign == "_") else 32
    for sign in map(chr, range(256))
)


def normal_form(text: str) -> str:
    """Return the form in which characters are compared: as equal texts share it, and without case."""
    return normalise(text).casefold()


def words(text: str) -> list[str]:
    """Return the words of a text in order; of one without words its whole normal form behind a tab."""
    if text.isascii():
        found = _ASCII(text.lower())
    else:
        form = normal_form(text)
        found = _pattern(_ASTRAL(form) is not None).findall(form)
    if not found:
        form = normal_form(text)
        return [_NO_WORDS + form] if form else []
    return found


def encoded_words(text: str) -> list[bytes]:
    """Return words(text) in UTF-8; for ASCII several times as fast as that."""
    if text.isascii():
        found = text.encode().translate(_ASCII_TABLE).split()
        if found:
            return found
    return [word.encode("utf-8", "surrogatepass") for word in words(text)]


def spans(text: str) -> list[tuple[int, int]]:
    """Return where each word of a text in its normal form begins and ends."""
    return [match.span() for match in _pattern(_ASTRAL(text) is not None).finditer(text)]


@cache
def _pattern(astral: bool) -> "re.Pattern[str]":  # noqa: FBT001 - the key of a cache
    """Return the pattern of words for any text; without characters beyond U+FFFF, a faster one.

    The classes come from `regex`, which has Unicode's properties; the matching is `re`'s, which has none
    and is several times as fast.
    """

    def members(pattern: str) -> str:
        return _members(pattern, 0x110000 if astral else 0x10000)

    unspaced, letters = f"[{_UNSPACED}]", r"[\w\p{N}]"
    extend, picture = f"[{members(_EXTENDS)}]*", f"[{members(_PICTOGRAPH)}]"
    alone = f"[{members(f'[{unspaced}&&{letters}--{_EXTENDS}]')}]{extend}"
    begins = f"[{members(f'[{letters}--{_EXTENDS}--{unspaced}]')}]"
    goes_on = f"[{members(f'[[{letters}||{_EXTENDS}]--{unspaced}]')}]*"
    pictures = f"{picture}(?:{extend}\u200d{picture})*{extend}"
    flags = "|[\U0001f1e6-\U0001f1ff]{1,2}" if astral else ""
    # Words of ASCII letters are found first and fast, unless a character beyond ASCII follows at once.
    return re.compile(rf"[a-z0-9_]++(?![^\x00-\x7f])|{begins}{goes_on}|{alone}|{pictures}{flags}")


@cache
def word_characters() -> str:
    """Return the characters of words as a class of `re`: its \\w, and the marks and joiners it lacks."""
    return rf"[\w{_members(_EXTENDS, 0x110000)}]"


def _members(pattern: str, end: int) -> str:
    import regex

    runs = regex.finditer(f"(?V1)(?:{pattern})+", "".join(map(chr, range(end))))
    return "".join(f"\\U{run.start():08x}-\\U{run.end() - 1:08x}" for run in runs)
