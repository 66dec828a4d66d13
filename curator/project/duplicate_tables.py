"""The last search for duplicates as the project keeps it, so that a page shows it at once."""

from typing import Any, Final

import apsw
import numpy as np

from curator.curate.duplicates.clusters import Matches
from curator.curate.duplicates.jaccard_join import Join
from curator.curate.duplicates.shingles import Ints
from curator.project.duplicate_search import Search, SharedText
from curator.project.duplicates import Duplicates
from curator.project.not_duplicates import marked_places
from curator.project.store import duplicate_rows
from curator.project.store.project import Project
from curator.project.store.reader import Reader
from curator.project.store.runs import DUPLICATES, forget_runs, last_run, note_run
from curator.project.store.tables import living

_VERSION: Final = 2
"""Changes when a search finds other pairs for the same texts; what another version found is not shown."""


def keep(project: Project, found: Duplicates) -> None:
    """Put what a search found in place of what the last one did."""
    matches, search = found.matches, found.search
    rows = _involved(matches)
    cluster_of: dict[int, int] = {}
    for cluster in matches.clusters():
        cluster_of.update(dict.fromkeys(cluster.rows, cluster.rows[0]))
    ids = found.ids.tolist()
    facts = {
        **search.to_json(),
        "version": _VERSION,
        "read_at": found.read_at,
        "shared": [[each.text, each.conversations] for each in found.shared],
        "conversations": len(ids),
        "pairs": matches.count(),
    }
    links = matches.links
    with project.writing() as connection:
        forget_runs(connection, DUPLICATES)
        duplicate_rows.replace_all(
            connection,
            (
                (ids[row], ids[int(matches.class_of[row])], ids[cluster_of[row]])
                for row in rows.tolist()
            ),
            zip(
                found.ids[links.first].tolist(),
                found.ids[links.second].tolist(),
                links.similarity.tolist(),
                strict=True,
            ),
        )
        note_run(connection, DUPLICATES, facts)


def kept(reader: Reader) -> Duplicates | None:
    """Return what the last search found, None before the first.

    Conversations that were removed or edited since are left out: what they are like now nobody looked at.
    """
    with reader.reading() as connection:
        said = _kept_facts(connection)
        if said is None:
            return None
        rows = duplicate_rows.equals(connection)
        pairs = duplicate_rows.pairs(connection)
        edited = np.array(duplicate_rows.edited_since(connection, said["read_at"]), np.int64)
    ids = np.setdiff1d(living(reader), edited)
    table = np.array(rows, dtype=np.int64).reshape(-1, 2)
    everyone = np.unique(np.concatenate([ids, table[:, 0]]))
    class_of = np.arange(len(everyone), dtype=np.int64)
    class_of[np.searchsorted(everyone, table[:, 0])] = np.searchsorted(everyone, table[:, 1])
    first, second = (np.array([p[at] for p in pairs], dtype=np.int64) for at in (0, 1))
    links = Join(
        np.searchsorted(everyone, first),
        np.searchsorted(everyone, second),
        np.array([p[2] for p in pairs], dtype=np.float64),
        class_of,
    )
    matches = Matches(class_of, links).without(marked_places(reader, everyone))
    shared = tuple(SharedText(text, number) for text, number in said["shared"])
    found = Duplicates(Search.from_json(said), everyone, matches, shared, said["read_at"])
    return found.among(ids.tolist())


def _kept_facts(connection: apsw.Connection) -> dict[str, Any] | None:
    """Return what the last search was; None before the first, and where another version made it."""
    last = last_run(connection, DUPLICATES)
    return last[0] if last is not None and last[0].get("version") == _VERSION else None


def _involved(matches: Matches) -> Ints:
    alone = np.bincount(matches.class_of, minlength=1)[matches.class_of] == 1
    linked = np.zeros(len(matches.class_of), dtype=bool)
    linked[matches.links.first] = True
    linked[matches.links.second] = True
    rows: Ints = np.flatnonzero(~alone | linked[matches.class_of])
    return rows
