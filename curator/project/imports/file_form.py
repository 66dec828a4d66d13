"""A bare file as a service reads it: what is wrong with its form, while its records are read as an import would.

A service reads UTF-8 line by line and wants one whole object on each. What else an import understands
(an array, objects over several lines, other encodings and line ends, gzip) is an error here, and the
records are looked at all the same.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from curator.dataset.rule import load_rules
from curator.formats.json_records import Source, sniff
from curator.formats.opening import blocks, require_whole

_MEGABYTE: Final = 1_000_000


def _lower(reason: str) -> str:
    return reason[:1].lower() + reason[1:]


class FormFault(NamedTuple):
    """A rule that the file breaks: the number of the record behind it, if any, and the message's words."""

    rule: str
    number: int | None
    words: dict[str, Any]


class BareFile:
    """A file that is no project; raises UnreadableInput where it holds no records at all."""

    def __init__(self, path: Path) -> None:
        self.source: Source = sniff(path)
        # Before minutes go into its rows: only the end of a packed file says that it is whole.
        require_whole(self.source.opening)
        self._gaps: list[FormFault] = []

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Yield the records with their numbers, as an import would read them."""
        for chunk in self.source.read():
            yield from zip(chunk.numbers, chunk.records, strict=True)
            self._gaps += [
                FormFault("F01", f.number, {"reason": _lower(f.reason)}) for f in chunk.faults
            ]

    def gaps(self) -> list[FormFault]:
        """Return what stands between the records and is none, known once they have been read."""
        return self._gaps

    def faults(self, profile: str) -> list[FormFault]:
        """Return what a service of a rules profile refuses in the form of the file."""
        opening = self.source.opening
        found = [FormFault("F15", None, {"problem": problem}) for problem in self._shape()]
        if opening.encoding != "utf-8":
            words: dict[str, Any] = {"byte": 1, "guess": f"it is {opening.encoding.upper()}"}
            found.insert(0, FormFault("F05", None, words))
        elif opening.mark:
            found.insert(0, FormFault("F04", None, {}))
        if self.source.shape == "array" and not self.source.wrapped:
            found.append(FormFault("F03", None, {}))
        size, limit = self.source.size / _MEGABYTE, load_rules()["F07"].limit_for(profile)
        if limit and size > limit:
            found.append(FormFault("F07", None, {"size": f"{size:,.0f}", "limit": limit}))
        return found

    def _shape(self) -> Iterator[str]:
        if self.source.opening.compressed:
            yield "The file is packed with gzip."
        if self.source.wrapped:
            yield "The conversations stand in a list inside of one object."
        elif self.source.shape == "objects":
            yield "The objects do not stand one on a line: some take several lines, or share one."
        elif self.source.shape == "lines" and self._ends_with_returns():
            yield "Lines end with a carriage return (CR) alone."

    def _ends_with_returns(self) -> bool:
        """Say whether a carriage return without a line feed stands before something more."""
        held = b""
        for block in blocks(self.source.opening):
            data = (held + block).rstrip(b" \t\r\n")
            held = (held + block)[len(data) :]
            if data.count(b"\r") != data.count(b"\r\n"):
                return True
        return False
