"""Writing the rows of an edit: each patch is checked against what is stored, then put in its place."""

import time
from collections.abc import Sequence
from typing import Any, Final

import apsw
import numpy as np

from curator.dataset import AnnotationPatch, ContentPatch, Conversation, Finding, SettingPatch
from curator.dataset.codes import EDITED
from curator.dataset.edit import Patch
from curator.dataset.errors import StaleEdit, WrongUse
from curator.dataset.json_values import BadJson, Json, canonical, dumps
from curator.project.store import derive, full_text
from curator.project.store.connection import scalar
from curator.project.store.reader import stored_setting
from curator.project.store.schema import DERIVED
from curator.project.store.stored_texts import DamagedText, stored_content, stored_hash, text_hash
from curator.project.store.values import LABEL_PREFIX, NUMERIC, Field, field_of, storable

FINDING_COLUMNS: Final = (
    "conversation, position, rule, severity, message, message_index, field, start, end, fix"
)


def now_ms() -> int:
    """Return the time as the file keeps it: unix milliseconds."""
    return time.time_ns() // 1_000_000


def write_patch(connection: apsw.Connection, patch: Patch, now: int) -> None:
    """Put one patch in its place; raises StaleEdit where its before does not hold."""
    try:
        _write(connection, patch, now)
    except UnicodeEncodeError as error:
        raise WrongUse(
            "A name, label or line holds half a character, which no file can hold."
        ) from error


def _write(connection: apsw.Connection, patch: Patch, now: int) -> None:
    if isinstance(patch, ContentPatch):
        _write_content(connection, patch, now)
    elif isinstance(patch, SettingPatch):
        _write_setting(connection, patch)
    elif patch.field.startswith(LABEL_PREFIX):
        _write_labels(connection, patch, now)
    else:
        _write_annotations(connection, patch, now)


def write_findings(
    connection: apsw.Connection, conversation: int, findings: Sequence[Finding]
) -> None:
    """Replace the stored findings of one conversation."""
    connection.execute("DELETE FROM finding WHERE conversation = ?", (conversation,))
    connection.executemany(
        f"INSERT INTO finding ({FINDING_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)",
        (finding_row(conversation, at, finding) for at, finding in enumerate(findings)),
    )


def finding_row(conversation: int, position: int, finding: Finding) -> tuple[Any, ...]:
    """Return a finding as the columns of FINDING_COLUMNS."""
    place = finding.place
    return (
        conversation,
        position,
        finding.rule,
        finding.severity,
        storable(finding.message),
        place.message,
        storable(place.field),
        place.start,
        place.end,
        finding.fix,
    )


def _stale(what: str) -> StaleEdit:
    return StaleEdit(
        f"{what} was changed meanwhile, so this step no longer fits and nothing was changed. "
        "Look at what is there now and do it again."
    )


def _write_content(connection: apsw.Connection, patch: ContentPatch, now: int) -> None:
    id_ = patch.conversation
    if not _is_there(connection, id_, patch.before):
        raise _stale(f"The text of conversation {id_}")
    if patch.after is None:
        _take_back_creation(connection, id_)
        return
    try:
        conversation = Conversation.parse(patch.after)
    except BadJson as error:
        raise WrongUse(f"The text is not a conversation: {error}.") from error
    if patch.before is None:
        derive.stamp_if_empty(connection)
    row = derive.derive(conversation, derive.terms_in(connection), patch.after)
    values = {name: getattr(row, name) for name in DERIVED}
    values |= {
        "title": storable(row.title),
        "flags": row.flags | EDITED,
        "content": patch.after,
        "text_hash": text_hash(patch.after.encode("utf-8")),
        "updated": now,
    }
    if patch.before is None:
        values |= {"id": id_, "import_hash": row.content_hash}
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        connection.execute(
            f"INSERT INTO conversation ({names}) VALUES ({marks})", tuple(values.values())
        )
    else:
        sets = ", ".join(f"{name} = ?" for name in values)
        connection.execute(f"UPDATE conversation SET {sets} WHERE id = ?", (*values.values(), id_))
    write_findings(connection, id_, row.findings)
    full_text.keep_in_step(connection, id_, conversation)


def _is_there(connection: apsw.Connection, id_: int, text: str | None) -> bool:
    """Whether a text is what is stored; a damaged one is known by its hash, so a step heals it."""
    try:
        return stored_content(connection, id_) == text
    except DamagedText:
        if text is None or text_hash(text.encode("utf-8", "surrogatepass")) != stored_hash(
            connection, id_
        ):
            raise
        return True


def _take_back_creation(connection: apsw.Connection, id_: int) -> None:
    if scalar(connection, "SELECT segment FROM conversation WHERE id = ?", (id_,)) is not None:
        raise WrongUse(
            f"Conversation {id_} came from a file and cannot be deleted; remove it instead, "
            "so that it can be brought back."
        )
    full_text.forget(connection, id_)
    for table, column in (
        ("finding", "conversation"),
        ("label", "conversation"),
        ("annotation", "conversation"),
        ("conversation", "id"),
    ):
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (id_,))


def _write_setting(connection: apsw.Connection, patch: SettingPatch) -> None:
    if canonical(stored_setting(connection, patch.name)) != canonical(patch.before):
        raise _stale(f"The project setting {patch.name!r}")
    if patch.after is None:
        connection.execute("DELETE FROM setting WHERE name = ?", (patch.name,))
    else:
        connection.execute(
            "INSERT INTO setting (name, value) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (patch.name, dumps(patch.after)),
        )


def _write_annotations(connection: apsw.Connection, patch: AnnotationPatch, now: int) -> None:
    field = field_of(patch.field)
    before, after = _encoded(field, patch.before), _encoded(field, patch.after)
    ids = np.asarray(patch.conversations, np.int64)
    absent = 0 if patch.field in NUMERIC else None
    _check(
        connection,
        f"SELECT c.value, a.{field.column} FROM carray(?) c "
        "LEFT JOIN annotation a ON a.conversation = c.value",
        (apsw.carray(ids),),
        ids,
        before,
        absent,
        patch.field,
    )
    sql = (
        f"INSERT INTO annotation (conversation, {field.column}, updated) {{}} "
        f"ON CONFLICT (conversation) DO UPDATE SET {field.column} = excluded.{field.column}, "
        "updated = excluded.updated"
    )
    try:
        if len(after) == 1:
            connection.execute(
                sql.format("SELECT value, ?, ? FROM carray(?) WHERE true"),
                (after[0], now, apsw.carray(ids)),
            )
        else:
            connection.executemany(
                sql.format("VALUES (?, ?, ?)"),
                ((id_, value, now) for id_, value in zip(patch.conversations, after, strict=True)),
            )
    except apsw.ConstraintError as error:
        raise _stale("A conversation of this step") from error


def _write_labels(connection: apsw.Connection, patch: AnnotationPatch, now: int) -> None:
    label_set = patch.field.removeprefix(LABEL_PREFIX)
    ids = np.asarray(patch.conversations, np.int64)
    _check(
        connection,
        "SELECT c.value, l.value FROM carray(?) c LEFT JOIN label l "
        "ON l.conversation = c.value AND l.label_set = ? AND l.annotator = ?",
        (apsw.carray(ids), label_set, patch.annotator),
        ids,
        list(patch.before),
        None,
        f"answer to {label_set}",
    )
    after = patch.after if len(patch.after) > 1 else patch.after * len(patch.conversations)
    gone = [id_ for id_, value in zip(patch.conversations, after, strict=True) if value is None]
    connection.execute(
        "DELETE FROM label WHERE label_set = ? AND annotator = ? AND conversation IN carray(?)",
        (label_set, patch.annotator, apsw.carray(np.asarray(gone, np.int64))),
    ) if gone else None
    rows = (
        (id_, label_set, patch.annotator, str(value), now)
        for id_, value in zip(patch.conversations, after, strict=True)
        if value is not None
    )
    try:
        connection.executemany(
            "INSERT INTO label (conversation, label_set, annotator, value, updated) "
            "VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET value = excluded.value, "
            "updated = excluded.updated",
            rows,
        )
    except apsw.ConstraintError as error:
        raise _stale("A conversation of this step") from error


def _encoded(field: Field, values: tuple[Json, ...]) -> list[Any]:
    if len(values) == 1:
        return [field.stored(values[0])]
    return [field.stored(value) for value in values]


def _check(
    connection: apsw.Connection,
    sql: str,
    values: tuple[Any, ...],
    ids: "np.ndarray[Any, Any]",
    before: list[Any],
    absent: Any,
    what: str,
) -> None:
    """Compare what is stored with what the patch expects; a row that is not there counts as absent."""
    stored = [absent if cell is None else cell for _, cell in connection.execute(sql, values)]
    expected = before * len(ids) if len(before) == 1 else before
    if stored != expected:
        raise _stale(f"The {what} of a conversation")
