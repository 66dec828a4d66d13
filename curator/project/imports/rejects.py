"""The lines an import refused, kept beside the project so that they can be fixed and imported again."""

import os
import re
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Final, NamedTuple

from curator.dataset.errors import ProjectError

_NAME_BYTES: Final = 80
"""How much of a long name comes back in another one; most systems allow 255 bytes in all."""

LISTED: Final = 1_000
"""How many refused lines a report names one by one."""


_HELD: Final = 4 << 20
"""Bytes of refused lines that are held before they are written."""

_SPOKEN_OF: Final = re.compile(r"\b([Tt]his|[Tt]he) line\b")
_BEYOND_ASCII: Final = re.compile(rb"[\x80-\xff]+")
_LONE: Final = 1.5
_MESSAGES: Final = re.compile(rb"""['"]messages\\?['"]""")


class RejectedRow(NamedTuple):
    """One refused line or element: its file, its number, the rule it breaks and why.

    unit says what the number counts, "line" or "element"; starts is the line on which it begins.
    """

    file: str
    line: int
    rule: str
    reason: str
    unit: str = "line"
    starts: int = 0

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        if self.unit == "line":
            return f"line {self.line}"
        return f"{self.unit} {self.line} (line {self.starts})"


def spoken_of(message: str, unit: str) -> str:
    """Return a message with what it calls a line called by its unit, "element" in an array."""
    return message if unit == "line" else _SPOKEN_OF.sub(rf"\1 {unit}", message)


class Rejects:
    """Collects the refused lines of one file; `keep` puts them under their final names at once.

    The lines go into NAME.jsonl byte for byte, and NAME.tsv says of each where it stood and why.
    """

    def __init__(self, project: Path, source: Path, unit: str = "line") -> None:
        self._folder = project.absolute().parent
        self._stem = f"{_cut(project.stem)}.rejects-{_cut(source.name.split('.')[0])}"
        self._source = str(source)
        self._unit = unit
        self._lines: list[bytes] = []
        self._held = 0
        self._reasons: list[str] = []
        self._files: list[tuple[Path, str]] = []
        self.count = 0
        self.rows: list[RejectedRow] = []
        self.rules: Counter[str] = Counter()
        self.any_conversation = False
        self._beyond: list[int] = [0, 0]

    def add(self, raw: bytes, line: int, rule: str, reason: str, starts: int = 0) -> None:
        """Take one refused record; raw is empty for a fault that stands between records."""
        self.count += 1
        self.rules[rule] += 1
        # A whole object without messages (S01) is none, whatever its values hold, as a preference does.
        self.any_conversation |= rule != "S01" and bool(_MESSAGES.search(raw))
        if rule == "F05":
            runs = _BEYOND_ASCII.findall(raw)
            self._beyond[0] += len(runs)
            self._beyond[1] += sum(map(len, runs))
        reason = spoken_of(reason, self._unit)
        if len(self.rows) < LISTED:
            row = RejectedRow(self._source, line, rule, reason, self._unit, starts or line)
            self.rows.append(row)
        if raw:
            self._held += len(raw)
            self._lines.append(raw.rstrip(b"\r\n") + b"\n")
            self._reasons.append(f"{line}\t{rule}\t{' '.join(reason.split())}\n")
        if len(self._lines) >= LISTED or self._held > _HELD:
            self._spill()

    @property
    def encoding(self) -> str:
        """Which other encoding the refused lines seem to have; empty where it is not all that is wrong."""
        if set(self.rules) != {"F05"} or not self._beyond[0]:
            return ""
        # Accents stand alone between plain letters; other scripts write whole words beyond ASCII.
        runs, bytes_ = self._beyond
        return "WINDOWS-1252" if bytes_ <= _LONE * runs else "another"

    def keep(self) -> Path | None:
        """Write what was collected; returns the file of lines, or None where nothing was refused.

        A file of that name that holds something else has been worked on: it is left alone.
        """
        if not self._lines and not self._files:
            return None
        self._spill()
        for number in range(1, 10_000):
            stem = self._stem if number == 1 else f"{self._stem}-{number}"
            targets = [self._folder / f"{stem}{ending}" for _, ending in self._files]
            same = [
                _same(made, target) for (made, _), target in zip(self._files, targets, strict=True)
            ]
            if all(same):
                self.drop()
                return targets[0]
            if not any(target.exists() for target in targets):
                for (made, _), target in zip(self._files, targets, strict=True):
                    made.replace(target)
                self._files = []
                return targets[0]
        return None

    def drop(self) -> None:
        """Remove what was written so far."""
        for made, _ in self._files:
            with suppress(OSError):
                made.unlink()
        self._files = []

    def _spill(self) -> None:
        texts = ("".join(self._reasons)).encode("utf-8", "replace")
        try:
            if not self._files:
                self._files = [(self._new(ending), ending) for ending in (".jsonl", ".tsv")]
                texts = f"{self._unit}\trule\treason\n".encode() + texts
            for (made, _), data in zip(self._files, (b"".join(self._lines), texts), strict=True):
                with made.open("ab") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            self.drop()
            raise ProjectError(
                f"The refused lines cannot be saved in {self._folder}: {error.strerror or error}.",
                self._folder,
            ) from error
        self._lines, self._reasons, self._held = [], [], 0

    def _new(self, ending: str) -> Path:
        handle, name = mkstemp(dir=self._folder, prefix=f".{self._stem}-", suffix=ending)
        os.close(handle)
        return Path(name)


def _cut(name: str) -> str:
    while len(os.fsencode(name)) > _NAME_BYTES:
        name = name[:-1]
    return name


def _same(made: Path, target: Path) -> bool:
    return (
        target.is_file()
        and target.stat().st_size == made.stat().st_size
        and target.read_bytes() == made.read_bytes()
    )
