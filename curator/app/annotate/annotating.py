"""The one route by which annotations change: few conversations at once, many in the background, one step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QObject

from curator.app.counted import counted
from curator.app.dialogs.confirm import CONFIRM_OVER, confirm_if_many
from curator.app.session.session import Session
from curator.dataset import Edit
from curator.dataset.json_values import Json
from curator.dataset.label import spelling

if TYPE_CHECKING:
    from curator.dataset import AnnotationPatch
    from curator.project.store.changes import Changes
    from curator.project.store.reader import Reader

AT_ONCE: Final = 200
"""Up to so many conversations are changed in the window's own thread."""

LABEL: Final = "label:"


@dataclass(frozen=True, slots=True)
class AnnotationChange:
    """A new value of one annotation field: status, split, flag, note, tags, removed or label:NAME.

    The fields +tag and -tag add and take away one tag. Changes with the same merge_key (keys typed
    into one field) become one step.
    """

    field: str
    value: Json
    merge_key: str = ""


REMOVE: Final = AnnotationChange("removed", {"reason": "by hand", "partner": None})
RESTORE: Final = AnnotationChange("removed", None)


def annotate(
    session: Session, ids: Sequence[int], change: AnnotationChange, asker: QObject
) -> bool:
    """Change these conversations as one step; for more than 100 a question over the asker's window comes first.

    Returns False where the project refused the change, and True also where nothing was to change, or
    where a question or a background job still stands before it.
    """
    project = session.project
    if project is None or not ids:
        return False
    if len(ids) <= CONFIRM_OVER:
        return _annotate(session, ids, change)

    def go() -> None:
        if session.project is project:
            _annotate(session, ids, change)

    title = title_of(change)
    confirm_if_many(session, len(ids), title, title, go, asker)
    return True


def _annotate(session: Session, ids: Sequence[int], change: AnnotationChange) -> bool:
    author, title = session.author, title_of(change, len(ids))
    key = f"{change.field}.{ids[0]}.{change.merge_key}" if change.merge_key else ""

    def edit_of(reader: "Reader") -> Edit | None:
        patch = patch_of(reader, ids, change, author)
        return None if patch is None else Edit(title, author, (patch,), key)

    def tell(applied: "Sequence[Changes]") -> None:
        """Tell of what was done to more than one, with the button that takes it back."""
        for changes in applied:
            if len(changes.conversations) > 1:
                session.notify_step(changes.edit.title)

    if len(ids) > AT_ONCE:
        job = session.push_later(title, lambda reader, _progress, _cancelled: edit_of(reader))
        if job is not None:
            job.succeeded.connect(tell)
        return job is not None
    edit = None if session.project is None else edit_of(session.project)
    if edit is None:
        return True
    changes = session.push(edit)
    if changes is not None:
        tell((changes,))
    return changes is not None


def title_of(change: AnnotationChange, count: int = 1) -> str:
    """Return what a step is called in the history and in undo."""
    value = change.value
    titles = {
        "status": {
            "accepted": _tr("Accept"),
            "rejected": _tr("Reject"),
            "skipped": _tr("Skip"),
        }.get(str(value), _tr("Back to pending")),
        "split": _tr("Split {0}").format(value or _tr("none")),
        "flag": _tr("Flag") if value else _tr("Take the flag away"),
        "+tag": _tr("Add the tag {0}").format(value),
        "-tag": _tr("Take the tag {0} away").format(value),
        "removed": _tr("Remove") if value else _tr("Restore"),
        "note": _tr("Note"),
        "tags": _tr("Tags"),
    }
    label = _tr("Label {0}: {1}").format(change.field.removeprefix(LABEL), value or _tr("none"))
    title = titles.get(change.field, label)
    if count == 1:
        return title
    return _tr("{0}: {1}").format(title, counted(count, "conversation"))


def patch_of(
    reader: "Reader", ids: Sequence[int], change: AnnotationChange, author: str
) -> "AnnotationPatch | None":
    """Return the patch that makes a change; None where all have it already."""
    from curator.project.labels import annotation_patch
    from curator.project.store.label_rows import annotation_values

    if change.field in ("+tag", "-tag"):
        tags = annotation_values(reader, ids, "tags")
        values: list[Json] = [_with_tag(list(each or ()), change) for each in tags]
        return annotation_patch(reader, ids, "tags", values, each=True)
    annotator = author if change.field.startswith(LABEL) else ""
    return annotation_patch(reader, ids, change.field, change.value, annotator=annotator)


def _with_tag(tags: list[Json], change: AnnotationChange) -> list[Json]:
    known = spelling(str(change.value), map(str, tags))
    without = [tag for tag in tags if tag != known]
    if change.field == "-tag":
        return without
    return tags if known else [*tags, change.value]


def _tr(text: str) -> str:
    return QCoreApplication.translate("annotate", text)
