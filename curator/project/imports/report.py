"""What came of an import: counts by file, what was refused, and what could not be read."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from curator.dataset.json_values import Json
from curator.project.imports.rejects import LISTED, RejectedRow
from curator.project.store.changes import Changes


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What came of one file."""

    file: str
    format: str
    confidence: float
    records: int
    imported: int
    unchanged: int
    rejected: int
    blank: int


class UnreadableFile(NamedTuple):
    """A file of which nothing more could be read, and the sentence that says why."""

    file: str
    reason: str


@dataclass(slots=True)
class ImportReport:
    """What came of an import; notes are sentences about anything out of the ordinary."""

    sources: list[SourceReport] = field(default_factory=list)
    rejected_rows: list[RejectedRow] = field(default_factory=list)
    rejects_files: list[Path] = field(default_factory=list)
    changes: list[Changes] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unreadable: list[UnreadableFile] = field(default_factory=list)

    @property
    def imported(self) -> int:
        """Conversations added."""
        return sum(source.imported for source in self.sources)

    @property
    def unchanged(self) -> int:
        """Conversations that were there already."""
        return sum(source.unchanged for source in self.sources)

    @property
    def rejected(self) -> int:
        """Lines that cannot be read as conversations."""
        return sum(source.rejected for source in self.sources)

    @property
    def rejects_file(self) -> Path | None:
        """The first file that refused lines were saved in."""
        return self.rejects_files[0] if self.rejects_files else None

    def to_json(self) -> dict[str, Json]:
        """Return the keys that the command line prints."""
        return {
            "imported": self.imported,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "rejects_file": str(self.rejects_file) if self.rejects_file else None,
            "rejects_files": [str(path) for path in self.rejects_files],
            "sources": [asdict(source) for source in self.sources],
            "rejected_rows": [row._asdict() for row in self.rejected_rows[:LISTED]],
            "notes": list(self.notes),
            "unreadable": [each._asdict() for each in self.unreadable],
        }
