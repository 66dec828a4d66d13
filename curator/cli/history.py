"""The verbs about what was done to a project: undo, redo and history."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from curator.cli.answer import Answer, table
from curator.cli.arguments import Options, Verbs, add_project, open_project, whole
from curator.cli.progress import Progress
from curator.dataset.counted import counted
from curator.dataset.json_values import Json

if TYPE_CHECKING:
    from curator.project.store.changes import Changes
    from curator.project.store.journal import Step


_MOST_STEPS = 2**63 - 1
"""The largest number that the project file understands as a limit."""


def add_verbs(verbs: Verbs) -> None:
    """Add the three verbs."""
    undo = verbs.add(
        "undo",
        _undo,
        "Take back the last step of a project, whoever made it and however long ago.",
        "curator undo x.curator",
    )
    redo = verbs.add(
        "redo",
        _redo,
        "Bring back the step that undo took back last.",
        "curator redo x.curator",
    )
    history = verbs.add(
        "history",
        _history,
        "List the steps of a project, newest first: who did what, and what was taken back.",
        "curator history x.curator",
        "curator history x.curator --limit 20 --json",
    )
    for parser in (undo, redo, history):
        add_project(parser)
    history.add_argument(
        "--limit", type=whole(1), default=100, metavar="N", help="how many steps at most (100)"
    )


def _undo(options: Options, _progress: Progress) -> Answer:
    from curator.project.store.journal import last_done

    with open_project(options.project) as project:
        with project.reading() as connection:
            step = last_done(connection)
        return _moved(step, project.undo, "Taken back", "There is nothing to take back.")


def _redo(options: Options, _progress: Progress) -> Answer:
    from curator.project.store.journal import first_undone

    with open_project(options.project) as project:
        with project.reading() as connection:
            step = first_undone(connection)
        return _moved(step, project.redo, "Brought back", "There is nothing to bring back.")


def _moved(
    step: "Step | None", move: "Callable[[], Changes | None]", did: str, nothing: str
) -> Answer:
    changes = move()
    if step is None or changes is None:
        return Answer({"step": None, "conversations": 0}, (nothing,))
    keys: dict[str, Json] = {"step": _row(step), "conversations": len(changes.conversations)}
    count = counted(len(changes.conversations), "conversation")
    return Answer(keys, (f"{did}: {step.title} ({count}; {step.author}, {_when(step)})",))


def _history(options: Options, _progress: Progress) -> Answer:
    with open_project(options.project, read_only=True) as project:
        steps = project.journal(min(options.limit, _MOST_STEPS))
    rows = [(str(step.id), _when(step), step.author, step.state, step.title) for step in steps]
    lines = table([("step", "when", "who", "state", "what"), *rows])
    return Answer(
        {"steps": [_row(step) for step in steps]},
        lines if steps else ("Nothing was changed in this project yet.",),
    )


def _row(step: "Step") -> dict[str, Json]:
    return {
        "id": step.id,
        "title": step.title,
        "author": step.author,
        "at": step.at / 1000,
        "state": step.state,
    }


def _when(step: "Step") -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(step.at / 1000))
