"""What annotators said of many conversations at once."""

from collections.abc import Sequence
from typing import Any

import apsw
import numpy as np
import numpy.typing as npt

from curator.curate.labels import label_that_counts
from curator.dataset.json_values import Json
from curator.project.store.connection import scalar
from curator.project.store.reader import Reader
from curator.project.store.values import FIELDS, LABEL_PREFIX


def annotation_values(
    reader: Reader, ids: Sequence[int], field: str, *, annotator: str = ""
) -> list[Json]:
    """Return one annotation field of many conversations, in the order of ids."""
    rows = apsw.carray(np.asarray(ids, np.int64)) if len(ids) else None
    with reader.reading() as connection:
        if rows is None:
            return []
        if field.startswith(LABEL_PREFIX):
            found = connection.execute(
                "SELECT c.value, l.value FROM carray(?) c LEFT JOIN label l ON "
                "l.conversation = c.value AND l.label_set = ? AND l.annotator = ?",
                (rows, field.removeprefix(LABEL_PREFIX), annotator),
            )
            return [value for _, value in found]
        column = FIELDS[field]
        found = connection.execute(
            f"SELECT a.{column.column} FROM carray(?) c "
            "LEFT JOIN annotation a ON a.conversation = c.value",
            (rows,),
        )
        return [column.value(value) for (value,) in found]


def answered_sets(reader: Reader) -> tuple[str, ...]:
    """Return the names of all label sets that somebody answered, in order."""
    with reader.reading() as connection:
        # Jumps from name to name where the index allows it; at most one pass over all answers.
        rows = connection.execute("SELECT DISTINCT label_set FROM label ORDER BY label_set")
        return tuple(str(name) for (name,) in rows)


def answered_by(reader: Reader, annotator: str) -> npt.NDArray[np.int64]:
    """Return the conversations with an answer of an annotator, case aside, one for each answer."""
    with reader.reading() as connection:
        rows = connection.execute(
            "SELECT conversation FROM label WHERE annotator = ? COLLATE NOCASE", (annotator,)
        )
        return np.fromiter((id_ for (id_,) in rows), np.int64)


def different_answers(
    reader: Reader, label_set: str, separator: str, ids: npt.NDArray[np.int64] | None = None
) -> list[tuple[Any, ...]]:
    """Return conversation and the different answers to a label set, joined; of some ids, or of all."""
    some = "" if ids is None else " AND conversation IN carray(?)"
    with reader.reading() as connection:
        return connection.execute(
            "SELECT conversation, group_concat(value, ?) FROM (SELECT DISTINCT "
            f"conversation, value FROM label WHERE label_set = ?{some} "
            "ORDER BY conversation, value) GROUP BY conversation",
            (separator, label_set, *_listed(ids)),
        ).fetchall()


def tags_of(reader: Reader, ids: npt.NDArray[np.int64] | None = None) -> list[tuple[Any, ...]]:
    """Return conversation and tags, as JSON, where there are any; of some ids, or of all."""
    some = "" if ids is None else " AND conversation IN carray(?)"
    with reader.reading() as connection:
        return connection.execute(
            f"SELECT conversation, tags FROM annotation WHERE tags IS NOT NULL{some}",
            _listed(ids),
        ).fetchall()


def _listed(ids: npt.NDArray[np.int64] | None) -> tuple[Any, ...]:
    return () if ids is None else (apsw.carray(ids),)


def given_answers(reader: Reader) -> list[tuple[str, str]]:
    """Return each answer that somebody gave, with its label set, once, in order."""
    with reader.reading() as connection:
        rows = connection.execute("SELECT DISTINCT label_set, value FROM label ORDER BY 1, 2")
        return [(str(name), str(value)) for name, value in rows]


def answers_to(reader: Reader, label_set: str) -> list[tuple[int, str]]:
    """Return conversation and value of every answer to a label set, of all annotators."""
    with reader.reading() as connection:
        rows = connection.execute(
            "SELECT conversation, value FROM label WHERE label_set = ?", (label_set,)
        )
        return [(int(id_ or 0), str(value)) for id_, value in rows]


def labels_that_count(
    reader: Reader, label_set: str | None = None, me: str = ""
) -> list[tuple[int, str, str]]:
    """Return conversation, label set and the one answer that counts, as curate.labels says."""
    some = "" if label_set is None else "WHERE label_set = ? "
    of = "SELECT annotator, value FROM label WHERE conversation = ? AND label_set = ?"
    found: list[tuple[int, str, str]] = []
    with reader.reading() as connection:
        rows = connection.execute(
            f"SELECT conversation, label_set, min(value), max(value) FROM label {some}"
            "GROUP BY conversation, label_set",
            () if label_set is None else (label_set,),
        )
        for id_, name, first, last in rows:
            # Where all agree, which is nearly everywhere, nothing is to be decided.
            value = first
            if first != last:
                answers = dict(connection.execute(of, (id_, name)))
                value = label_that_counts(
                    {str(who): str(what) for who, what in answers.items()}, me
                )
            found.append((int(id_ or 0), str(name), str(value)))
    return found


def annotated(reader: Reader) -> list[int]:
    """Return the conversations that have a label or any other annotation, in order."""
    with reader.reading() as connection:
        rows = connection.execute(
            "SELECT conversation FROM label UNION SELECT conversation FROM annotation ORDER BY 1"
        )
        return [int(id_ or 0) for (id_,) in rows]


def labels_and_tags(reader: Reader) -> list[tuple[int, int]]:
    """Return how many labels and tags each conversation has that has any."""
    with reader.reading() as connection:
        rows = connection.execute(
            "SELECT conversation, sum(n) FROM (SELECT conversation, count(*) n FROM label "
            "GROUP BY conversation UNION ALL SELECT conversation, json_array_length(tags) "
            "FROM annotation WHERE tags IS NOT NULL) GROUP BY conversation"
        )
        return [(int(id_ or 0), int(number or 0)) for id_, number in rows]


def decided(reader: Reader) -> list[tuple[int, int]]:
    """Return conversation and status code of all that are not pending."""
    with reader.reading() as connection:
        rows = connection.execute("SELECT conversation, status FROM annotation WHERE status <> 0")
        return [(int(id_ or 0), int(code or 0)) for id_, code in rows]


def removed(reader: Reader) -> list[tuple[int, str, int | None]]:
    """Return every removed conversation with its reason and partner, the latest first."""
    with reader.reading() as connection:
        rows = connection.execute(
            "SELECT conversation, removed ->> 'reason', removed ->> 'partner' FROM annotation "
            "WHERE removed IS NOT NULL ORDER BY updated DESC, conversation"
        )
        return [(int(id_), str(reason), partner) for id_, reason, partner in rows]


def has_splits(reader: Reader) -> bool:
    """Say whether any conversation has a split."""
    with reader.reading() as connection:
        return bool(scalar(connection, "SELECT EXISTS (SELECT 1 FROM annotation WHERE split > 0)"))
