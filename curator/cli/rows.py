"""The rows of a project, or of a file without one, for the verbs that take either."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curator.cli.arguments import is_project, open_project
from curator.project.deduping import living


@contextmanager
def numbered_texts(name: str) -> Iterator[tuple[int, Iterator[tuple[int | None, int | None, str]]]]:
    """Open a project or file and give how many rows it has (0 where not known) and the rows.

    A row is its conversation (None in a file), its source line and its text.
    """
    if not is_project(name):
        from curator.project.file_form import BareFile

        records = BareFile(Path(name)).records()
        yield 0, ((None, n, raw.decode("utf-8", "replace")) for n, raw in records if raw.strip())
        return
    with open_project(name, read_only=True) as project:
        ids = living(project).tolist()
        places = dict(
            zip(project.ids().tolist(), project.column("source_line").tolist(), strict=True)
        )
        yield len(ids), ((id_, places[id_] or None, raw) for id_, raw in project.iterate(ids))
