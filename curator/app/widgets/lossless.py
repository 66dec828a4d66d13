"""The characters a Qt document cannot hold, and the stand-ins that show them one to one.

Qt makes a new paragraph of U+2029, CR, U+FDD0 and U+FDD1, drops lone surrogates, eats a leading
byte-order mark and swaps every byte after a leading U+FFFE. Each such character is shown as a
visible stand-in that does not occur in the text itself, so reading back is a plain substitution.
"""

import re
from collections.abc import Iterator
from typing import Final

_UNHOLDABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f\u2029\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffc\ufffe\uffff]"
)
_PRIVATE_USE: Final = range(0xE000, 0xF900)
_FAVOURITES: Final = {
    **{chr(code): chr(0x2400 + code) for code in range(0x20)},
    "\x7f": "␡",
    "\u2029": "¶",
    "\ufeff": "⍽",
    "\ufffc": "⌷",
}
_UNSEEN: Final = ("\u2063", "\u2064", "\u2062")
_FOR_SURROGATES: Final = ("\ufffd", "⍰", "␦")


class StandIns:
    """The substitution of one text: its line-ending style, and a stand-in per unholdable character."""

    def __init__(self, text: str) -> None:
        self.newline = newline_style(text)
        self._shown: dict[str, str] = {}
        self._meant: dict[str, str] = {}
        self._search = _UNHOLDABLE
        self._taken: set[str] = set()
        self._marks = ""

    @property
    def characters(self) -> str:
        """All stand-ins in use, as one string."""
        return "".join(self._meant)

    def is_taken(self, character: str) -> bool:
        """Whether a character has another meaning in the document than itself."""
        return character in self._meant or character in self._marks

    def show(self, text: str) -> str:
        """Return the text in the form a Qt document holds; lines end with a bare newline."""
        if self.newline != "\n":
            text = text.replace(self.newline, "\n")
        if not self._search.search(text):
            return text
        self._taken.update(text)
        # A new stand-in may occur literally in what was already passed, so all are chosen first.
        while missing := set(self._search.findall(text)) - set(self._shown):
            for character in sorted(missing):
                self._add(character)
        return self._search.sub(lambda match: self._shown[match[0]], text)

    def reserve(self, text: str) -> None:
        """Keep future stand-ins clear of characters that were typed since."""
        self._taken.update(text)

    def take_mark(self, shown: str) -> str:
        """Return a character that stands for nothing here, and never will be mistaken for a real one."""
        self._taken.update(shown)
        mark = next(c for c in (*_UNSEEN, *map(chr, _PRIVATE_USE)) if self._is_free(c))
        self._taken.add(mark)
        self._marks = mark
        self._search = re.compile(f"{_UNHOLDABLE.pattern[:-1]}{re.escape(self.characters + mark)}]")
        return mark

    def read(self, raw: str) -> str:
        """Return the real text of what ``QTextDocument.toRawText`` gave."""
        text = raw.replace("\u2029", self.newline)
        if not self._meant:
            return text
        return re.sub(f"[{re.escape(self.characters)}]", lambda match: self._meant[match[0]], text)

    def pair_in(self, raw: str) -> tuple[int, int, str] | None:
        """Return where two halves of one character stand side by side (UTF-16), and that character.

        JSON writes them as it writes the character itself, so a file cannot keep them apart.
        """
        high, low = (
            "".join(s for s, meant in self._meant.items() if first <= meant <= last)
            for first, last in (("\ud800", "\udbff"), ("\udc00", "\udfff"))
        )
        if not high or not low:
            return None
        fold = f"(?:{self._marks}\u2029?)?" if self._marks else ""
        found = re.search(f"[{re.escape(high)}]{fold}[{re.escape(low)}]", raw)
        if found is None:
            return None
        meant = self._meant[found[0][0]] + self._meant[found[0][-1]]
        whole = meant.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        start = utf16_length(raw[: found.start()])
        return start, start + utf16_length(found[0]), whole

    def offset(self, text: str, position: int) -> int:
        """Convert a Python index of the real text into a position of the Qt document (UTF-16)."""
        return utf16_length(self.show(text[:position]))

    def _add(self, character: str) -> None:
        stand_in = next(c for c in _candidates(character) if self._is_free(c))
        self._shown[character] = stand_in
        self._meant[stand_in] = character
        kept = re.escape(self.characters + self._marks)
        self._search = re.compile(f"{_UNHOLDABLE.pattern[:-1]}{kept}]")

    def _is_free(self, candidate: str) -> bool:
        return candidate not in self._meant and candidate not in self._taken


def newline_style(text: str) -> str:
    """Return CR LF or CR where a text uses only that, else LF (a stray CR then has a stand-in)."""
    pairs, returns, feeds = text.count("\r\n"), text.count("\r"), text.count("\n")
    if returns and pairs == returns == feeds:
        return "\r\n"
    return "\r" if returns and not feeds else "\n"


def utf16_length(text: str) -> int:
    """Return how many UTF-16 units a text takes, which is how Qt counts positions."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def common_length(a: str, b: str, most: int) -> int:
    """Return how many characters at the beginning of two texts are the same, up to a number."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if a[:middle] == b[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _candidates(character: str) -> Iterator[str]:
    if character in _FAVOURITES:
        yield _FAVOURITES[character]
    if "\ud800" <= character <= "\udfff":
        yield from _FOR_SURROGATES
    for code in _PRIVATE_USE:
        yield chr(code)
