"""The rows of a project, or of a file without one, for the verbs that take either."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from curator.cli.arguments import is_project, open_project
from curator.project.store.tables import living


class Texts(NamedTuple):
    """How many rows there are (0 where not known), the rows, and the conversations found damaged.

    A row is its conversation (None in a file), its source line and its text. Damaged conversations
    are not among the rows; they are known once those have been read.
    """

    total: int
    rows: Iterator[tuple[int | None, int | None, str]]
    damaged: set[int]


@contextmanager
def numbered_texts(name: str) -> Iterator[Texts]:
    """Open a project or file and give its texts."""
    if not is_project(name):
        from curator.project.imports.file_form import BareFile

        records = BareFile(Path(name)).records()
        rows = ((None, n, raw.decode("utf-8", "replace")) for n, raw in records if raw.strip())
        yield Texts(0, rows, set())
        return
    with open_project(name, read_only=True) as project:
        ids = living(project).tolist()
        places = dict(
            zip(project.ids().tolist(), project.column("source_line").tolist(), strict=True)
        )
        found = ((id_, places[id_] or None, raw) for id_, raw in project.iterate(ids))
        yield Texts(len(ids), found, project.damaged)
