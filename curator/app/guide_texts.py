"""The guide as the window shows it: chapters with their titles and sections, and where words stand in them."""

import re
from dataclasses import dataclass
from typing import Final

from curator.dataset.resources import resource

CHAPTER_OF_PAGE: Final = {
    "write": "a-day.md",
    "label": "labels.md",
    "check": "findings.md",
    "duplicates": "duplicates.md",
    "export": "split-and-export.md",
    "train": "training.md",
    "try": "training.md",
    "evaluate": "evaluation.md",
}
"""The chapter that speaks of a page; the others open at the list of chapters."""

FIRST: Final = "README.md"

_LINK: Final = re.compile(r"\]\(([a-z-]+\.md)\)")
_HEADING: Final = re.compile(r"^#{1,6}\s+(.*)$")
_MARKS: Final = re.compile(r"[*_`#>|]|\[|\]\([^)]*\)")
_SNIPPET: Final = 90


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where searched words stand: the chapter, the heading above, and the line."""

    chapter: str
    heading: str
    line: str


class Guide:
    """All chapters, read once, in the order of the list of chapters."""

    def __init__(self) -> None:
        first = self._read(FIRST)
        names = [FIRST, *dict.fromkeys(_LINK.findall(first))]
        self.texts = {name: self._read(name) for name in names}

    def title(self, chapter: str) -> str:
        """Return the first heading of a chapter."""
        headings = (_HEADING.match(line) for line in self.texts[chapter].splitlines())
        return next((found[1] for found in headings if found), chapter)

    def find(self, words: str) -> list[Hit]:
        """Return every line that holds all words, whatever their case and order."""
        wanted = words.casefold().split()
        hits: list[Hit] = []
        for chapter, text in self.texts.items():
            heading = self.title(chapter)
            for line in text.splitlines():
                found = _HEADING.match(line)
                heading = found[1] if found else heading
                plain = " ".join(_MARKS.sub("", line).split())
                folded = plain.casefold()
                if wanted and all(word in folded for word in wanted):
                    hits.append(Hit(chapter, heading, _around(plain, folded.find(wanted[0]))))
        return hits

    def _read(self, name: str) -> str:
        return resource("guide", name).read_text("utf-8")


def _around(line: str, place: int) -> str:
    """Return the part of a line around a place."""
    start = max(0, place - _SNIPPET // 3)
    part = line[start : start + _SNIPPET]
    return ("… " if start else "") + part + (" …" if start + _SNIPPET < len(line) else "")


def anchor_of(heading: str) -> str:
    """Return the anchor under which links name a heading: small letters with hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.casefold()).strip().replace(" ", "-")
