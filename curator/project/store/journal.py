"""The journal: every edit ever applied, in the order it was; it is the undo stack and the history.

A patch of many conversations is stored as differences of ids and codes of values, compressed, so
the status of 200,000 rows takes a few hundred bytes.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import apsw
import numpy as np
import numpy.typing as npt

from curator.dataset import AnnotationPatch, ContentPatch, Edit, SettingPatch
from curator.dataset.edit import Patch
from curator.dataset.json_values import Json, dumps, loads
from curator.project.store.values import storable

MERGE_WINDOW_MS: Final = 5_000
_COMPRESS_FROM: Final = 1_024


@dataclass(frozen=True, slots=True)
class Step:
    """One edit as it stands in the journal; state is done, undone or dropped."""

    id: int
    title: str
    author: str
    merge_key: str
    state: str
    at: int
    changed: int


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """What one edit did to one conversation: who, when (unix ms), which field, from what to what."""

    step: Step
    field: str
    annotator: str
    before: Json
    after: Json


_STEP: Final = "SELECT id, title, author, merge_key, state, at, changed FROM edit"


def last_done(connection: apsw.Connection) -> Step | None:
    """Return the step that undo would take back."""
    row = connection.execute(f"{_STEP} WHERE state = 'done' ORDER BY id DESC LIMIT 1").fetchone()
    return None if row is None else Step(*row)


def first_undone(connection: apsw.Connection) -> Step | None:
    """Return the step that redo would bring back."""
    row = connection.execute(f"{_STEP} WHERE state = 'undone' ORDER BY id LIMIT 1").fetchone()
    return None if row is None else Step(*row)


def steps(connection: apsw.Connection, limit: int) -> list[Step]:
    """Return the latest steps, newest first."""
    rows = connection.execute(f"{_STEP} ORDER BY id DESC LIMIT ?", (limit,))
    return [Step(*row) for row in rows]


def load(connection: apsw.Connection, step: Step) -> Edit:
    """Return the edit of a step."""
    rows = connection.execute(
        "SELECT kind, name, annotator, conversation, conversations, before, after FROM patch "
        "WHERE edit = ? ORDER BY position",
        (step.id,),
    )
    patches = tuple(_patch_from(*row) for row in rows)
    return Edit(step.title, step.author, patches, step.merge_key)


def record(connection: apsw.Connection, edit: Edit, now: int) -> None:
    """Write an applied edit: joined to the last step where that is wished, else as a new step.

    Whatever was undone before can no longer be redone, but stays in the history.
    """
    undone = first_undone(connection)
    last = None if undone else last_done(connection)
    if last is not None and _merges(last, edit, now):
        _join(connection, last, edit, now)
        # Typed and deleted again: what all together changes nothing is no step to undo.
        connection.execute(
            "UPDATE edit SET state = 'dropped' WHERE id = ?1 AND NOT EXISTS "
            "(SELECT 1 FROM patch WHERE edit = ?1 AND before IS NOT after)",
            (last.id,),
        )
        return
    if undone is not None:
        connection.execute(
            "UPDATE edit SET state = 'dropped', changed = ? WHERE state = 'undone'", (now,)
        )
    connection.execute(
        "INSERT INTO edit (title, author, merge_key, state, at, changed) VALUES (?,?,?,'done',?,?)",
        (storable(edit.title), storable(edit.author), edit.merge_key, now, now),
    )
    _write_patches(connection, connection.last_insert_rowid(), edit.patches)


def mark(connection: apsw.Connection, step: Step, state: str, now: int) -> None:
    """Note that a step was undone or redone."""
    connection.execute("UPDATE edit SET state = ?, changed = ? WHERE id = ?", (state, now, step.id))


def history(connection: apsw.Connection, conversation: int) -> list[HistoryEntry]:
    """Return everything that was done to one conversation, newest first."""
    rows = connection.execute(
        "SELECT edit, position FROM patch WHERE conversation = ?", (conversation,)
    )
    many = connection.execute(
        "SELECT edit, position, conversations FROM patch WHERE conversations IS NOT NULL"
    )
    places = dict.fromkeys(rows, 0)
    for edit, position, packed in many:
        at = _members(packed).place(conversation)
        if at is not None:
            places[edit, position] = at
    return [
        _entry(connection, edit, position, at)
        for (edit, position), at in sorted(places.items(), reverse=True)
    ]


def last_values(
    connection: apsw.Connection, field: str, annotator: str, steps_back: int
) -> list[str]:
    """Return the texts somebody last gave single conversations, newest first, each value once."""
    rows = connection.execute(
        "SELECT p.after FROM patch p JOIN edit e ON e.id = p.edit WHERE p.edit > "
        "(SELECT max(id) FROM edit) - ? AND p.kind = 'annotation' AND p.name = ? "
        "AND p.annotator = ? AND p.conversation IS NOT NULL AND e.state = 'done' "
        "ORDER BY p.edit DESC, p.position DESC",
        (steps_back, field, annotator),
    )
    values = (_unpack_values(packed)[0] for (packed,) in rows)
    return list(dict.fromkeys(value for value in values if isinstance(value, str)))


def _entry(connection: apsw.Connection, edit: int, position: int, at: int) -> HistoryEntry:
    (row,) = connection.execute(
        "SELECT kind, name, annotator, before, after FROM patch WHERE edit = ? AND position = ?",
        (edit, position),
    )
    kind, name, annotator, before, after = row
    (step,) = connection.execute(f"{_STEP} WHERE id = ?", (edit,))
    if kind == "content":
        texts = _unpack_text(before), _unpack_text(after)
        return HistoryEntry(Step(*step), "content", annotator, *texts)
    old, new = _unpack_values(before), _unpack_values(after)
    values = old[at if len(old) > 1 else 0], new[at if len(new) > 1 else 0]
    return HistoryEntry(Step(*step), name, annotator, *values)


@dataclass(frozen=True, slots=True)
class _Members:
    """The conversations of a patch of many; ids is None where they are all from first to last."""

    first: int
    last: int
    ids: npt.NDArray[np.int64] | None

    def place(self, conversation: int) -> int | None:
        """Return the position of a conversation among them, None where it is not there."""
        if not self.first <= conversation <= self.last:
            return None
        if self.ids is None:
            return conversation - self.first
        places = np.flatnonzero(self.ids == conversation)
        return int(places[0]) if len(places) else None


@lru_cache(maxsize=16)
def _members(packed: bytes) -> _Members:
    """Unpack who is meant; somebody who walks through conversations asks for the same again."""
    ids = _unpack_ids(packed)
    if not len(ids):
        return _Members(0, -1, ids)
    in_a_row = bool((np.diff(ids) == 1).all())
    return _Members(int(ids.min()), int(ids.max()), None if in_a_row else ids)


def _merges(last: Step, edit: Edit, now: int) -> bool:
    return (
        bool(edit.merge_key)
        and edit.merge_key == last.merge_key
        and storable(edit.author) == last.author
        and 0 <= now - last.changed < MERGE_WINDOW_MS
    )


def _join(connection: apsw.Connection, last: Step, edit: Edit, now: int) -> None:
    connection.execute("UPDATE edit SET changed = ? WHERE id = ?", (now, last.id))
    patch = edit.patches[0] if len(edit.patches) == 1 else None
    if isinstance(patch, ContentPatch) and patch.after is not None:
        # Typing: only what stands afterwards changes, so the former text is not written again.
        there = connection.execute(
            "SELECT position, conversation, kind FROM patch WHERE edit = ?", (last.id,)
        ).fetchall()
        if there == [(0, patch.conversation, "content")]:
            connection.execute(
                "UPDATE patch SET after = ? WHERE edit = ?", (_pack_text(patch.after), last.id)
            )
            return
    merged = load(connection, last).then(edit)
    connection.execute("DELETE FROM patch WHERE edit = ?", (last.id,))
    _write_patches(connection, last.id, merged.patches)


def _write_patches(connection: apsw.Connection, edit: int, patches: Sequence[Patch]) -> None:
    connection.executemany(
        "INSERT INTO patch (edit, position, kind, name, annotator, conversation, conversations, "
        "before, after) VALUES (?,?,?,?,?,?,?,?,?)",
        ((edit, position, *_patch_row(patch)) for position, patch in enumerate(patches)),
    )


def _patch_row(patch: Patch) -> tuple[Any, ...]:
    if isinstance(patch, ContentPatch):
        before, after = _pack_text(patch.before), _pack_text(patch.after)
        return "content", "", "", patch.conversation, None, before, after
    if isinstance(patch, SettingPatch):
        before, after = _pack_values((patch.before,)), _pack_values((patch.after,))
        return "setting", patch.name, "", None, None, before, after
    before, after = _pack_values(patch.before), _pack_values(patch.after)
    if len(patch.conversations) == 1:
        one: int | None = patch.conversations[0]
        many = None
    else:
        one, many = None, _pack_ids(patch.conversations)
    return "annotation", patch.field, patch.annotator, one, many, before, after


def _patch_from(
    kind: str,
    name: str,
    annotator: str,
    one: int | None,
    many: bytes | None,
    before: bytes | None,
    after: bytes | None,
) -> Patch:
    if kind == "content":
        return ContentPatch(one or 0, _unpack_text(before), _unpack_text(after))
    old, new = _unpack_values(before), _unpack_values(after)
    if kind == "setting":
        return SettingPatch(name, old[0], new[0])
    ids = (one,) if one is not None else tuple(_unpack_ids(many or b"").tolist())
    return AnnotationPatch(name, ids, old, new, annotator)


def _pack_text(text: str | None) -> bytes | None:
    return None if text is None else _pack(text.encode("utf-8", "surrogatepass"))


def _unpack_text(packed: bytes | None) -> str | None:
    return None if packed is None else _unpack(packed).decode("utf-8", "surrogatepass")


def _pack(raw: bytes) -> bytes:
    if len(raw) < _COMPRESS_FROM:
        return b"\0" + raw
    return b"\1" + zlib.compress(raw, 1)


def _unpack(packed: bytes) -> bytes:
    return packed[1:] if packed[:1] == b"\0" else zlib.decompress(packed[1:])


def _pack_ids(ids: Sequence[int]) -> bytes:
    return _pack(np.diff(np.asarray(ids, np.int64), prepend=0).tobytes())


def _unpack_ids(packed: bytes) -> npt.NDArray[np.int64]:
    return np.cumsum(np.frombuffer(_unpack(packed), np.int64)) if packed else np.empty(0, np.int64)


def _pack_values(values: tuple[Json, ...]) -> bytes:
    if len(values) == 1:
        return _pack(dumps(values[0]).encode())
    texts = [dumps(value) for value in values]
    codes: dict[str, int] = {}
    rows = np.fromiter((codes.setdefault(text, len(codes)) for text in texts), np.int32, len(texts))
    head = ("[" + ",".join(codes) + "]").encode()
    return b"\2" + _pack(len(head).to_bytes(8, "big") + head + rows.tobytes())


def _unpack_values(packed: bytes | None) -> tuple[Json, ...]:
    if packed is None:
        return (None,)
    if packed[:1] != b"\2":
        return (loads(_unpack(packed).decode()),)
    raw = _unpack(packed[1:])
    end = 8 + int.from_bytes(raw[:8], "big")
    distinct = loads(raw[8:end].decode())
    return tuple(distinct[code] for code in np.frombuffer(raw, np.int32, offset=end).tolist())
