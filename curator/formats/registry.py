"""Every format, one entry each: the only way in and out of a project."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from curator.dataset.errors import WrongUse
from curator.dataset.json_values import dumps, loads
from curator.formats import alpaca, json_records, openai_chat, prompt_completion, sharegpt
from curator.formats.conversion import Fields, Written, converted
from curator.formats.json_records import Source

AUTO: Final = "auto"


class Format(NamedTuple):
    """One record format: how its records are known, read and written.

    convert makes OpenAI chat of a record and runs where the record is analysed; without it records
    are kept byte for byte. write makes a record of OpenAI chat; a format without either is only read,
    and one that has the other names too is known by those in exports.
    """

    name: str
    title: str
    holds: Callable[[Fields], bool]
    convert: Callable[[Fields], Fields] | None = None
    write: Callable[[Fields], Written] | None = None
    also: str = ""

    @property
    def is_stored(self) -> bool:
        """Whether this is the form in which conversations are stored."""
        return self.convert is None

    def read_line(self, line: bytes) -> bytes:
        """Return a line as OpenAI chat; raises BadRecord, and leaves what is none of it as it is."""
        return line if self.convert is None else converted(line, self.holds, self.convert)

    def write_line(self, line: bytes) -> tuple[bytes, frozenset[str]]:
        """Return a stored line as this format has it, and what it does not keep; raises CannotHold."""
        if self.write is None:
            return line, frozenset()
        written = self.write(loads(line.decode("utf-8")))
        return dumps(written.fields).encode(), written.losses


FORMATS: Final = (
    Format(openai_chat.NAME, openai_chat.TITLE, openai_chat.holds, also="openai"),
    Format(sharegpt.NAME, sharegpt.TITLE, sharegpt.holds, sharegpt.convert, sharegpt.write),
    Format(alpaca.NAME, alpaca.TITLE, alpaca.holds, alpaca.convert),
    Format(
        prompt_completion.NAME,
        prompt_completion.TITLE,
        prompt_completion.holds,
        prompt_completion.convert,
    ),
)
"""Every format, the most usual first."""


def as_chat(fields: Fields) -> Fields:
    """Return an object of any format as OpenAI chat, one of none as it is; raises BadRecord."""
    known = next((each for each in FORMATS if each.holds(fields)), FORMATS[0])
    return fields if known.convert is None else known.convert(fields)


WRITTEN: Final = tuple(each for each in FORMATS if each.is_stored or each.write)
"""Those that an export can write."""


def export_name(known: Format) -> str:
    """Return the name of a format in exports."""
    return known.also or known.name


def format_named(name: str) -> Format:
    """Return a format by name; raises WrongUse for an unknown one."""
    found = next((f for f in FORMATS if name in (f.name, f.also)), None)
    if found is None or not name:
        raise WrongUse(f"There is no format {name}; use {', '.join(f.name for f in FORMATS)}.")
    return found


def sniff(path: Path, name: str = AUTO) -> Source:
    """Look at a file and say which format its records have, or take the one that is named.

    Raises UnreadableInput where it holds no records at all, WrongUse for an unknown format.
    """
    chosen = None if name == AUTO else format_named(name)
    source = json_records.sniff(path)
    if (chosen is None and source.confidence == 1) or chosen is FORMATS[0]:
        return replace(source, format=openai_chat.NAME)
    sample = source.sample()
    shares = {
        each.name: sum(map(each.holds, sample)) / len(sample) if sample else 0.0
        for each in ((chosen,) if chosen else FORMATS)
    }
    best = max(shares, key=lambda each: shares[each])
    if best == openai_chat.NAME or not (chosen or shares[best]):
        # How sure that is also depends on how the objects stand there.
        return replace(source, format=openai_chat.NAME)
    return replace(source, format=best, confidence=shares[best])
