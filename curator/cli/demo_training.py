"""The end of the story: a job on this computer, and the base against what it became."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from curator.cli.answer import Answer, table
from curator.cli.progress import Progress
from curator.dataset.invocation import command
from curator.dataset.json_values import Json

_BASE: Final = "tiny"
_LABELS: Final = "intent"
_MOST_TOKENS: Final = 60

Verb = Callable[[tuple[str, ...], Progress], Answer]
Tell = Callable[[str, str, tuple[str, ...], Answer, float], None]


def can_train() -> bool:
    """Tell whether the trainer is set up, so that the story can end with a checkpoint."""
    from curator.tune.local.bases.environment import trainer_python

    return trainer_python() is not None


def train_and_compare(
    project: Path, export: Path, verb: Verb, tell: Tell, progress: Progress
) -> dict[str, Json]:
    """Train the tiny base on the export and compare; returns steps, job, checkpoint and comparison."""
    arguments = ("train", str(export), "--target", "this-computer", "--base", _BASE, "--follow")
    begun = time.monotonic()
    job = verb(arguments, progress)
    seconds = round(time.monotonic() - begun, 2)
    short = Answer(job.keys, (*job.lines[:1], *job.lines[-3:]))
    tell("train", "a small job on this computer", arguments, short, seconds)
    found: dict[str, Json] = {
        "steps": [_step("train", {"status": job.keys.get("status")}, seconds)],
        "job": job.keys.get("job"),
        "checkpoint": job.keys.get("checkpoint"),
        "comparison": None,
    }
    if not found["checkpoint"]:
        return found
    begun = time.monotonic()
    rows = _compare(project, export, str(found["checkpoint"]), progress)
    seconds = round(time.monotonic() - begun, 2)
    found["comparison"] = rows
    found["steps"].append(_step("compare", {"candidates": len(rows)}, seconds))
    answer = Answer({}, _shown(rows))
    tell("compare", "base against tuned on the test split", (), answer, seconds)
    return found


def _compare(project: Path, export: Path, checkpoint: str, progress: Progress) -> list[Json]:
    from curator.curate.labels import labels_that_count
    from curator.project.store.project import Project
    from curator.tune.evaluation.trial import labels_of_replies, read_items, try_candidate
    from curator.tune.services.client import connect
    from curator.tune.targets.profiles import find_target

    seen, asked = (
        read_items(export / f"{part}.jsonl", export / f"{part}.manifest.jsonl")
        for part in ("train", "test")
    )
    reader = Project.open(project, read_only=True)
    try:
        answered = {
            item.conversation: labels_that_count(reader.labels(item.conversation))
            for item in (*seen, *asked)
        }
    finally:
        reader.close()
    labels = {id_: given[_LABELS] for id_, given in answered.items() if _LABELS in given}
    known = labels_of_replies((*seen, *asked), labels)
    with connect(find_target("this-computer")) as connection:
        return [
            try_candidate(
                connection,
                candidate,
                asked,
                labels=labels,
                known_replies=known,
                progress=progress,
                cancelled=progress.cancelled,
                max_tokens=_MOST_TOKENS,
            ).to_row()
            for candidate in (_BASE, checkpoint)
        ]


def _step(name: str, result: dict[str, Json], seconds: float) -> dict[str, Json]:
    return {"name": name, "result": result, "seconds": seconds}


def _shown(rows: list[Json]) -> tuple[str, ...]:
    cells = [
        (
            str(row["candidate"]),
            str(row["items"]),
            "-" if row["label_accuracy"] is None else f"{row['label_accuracy']:.0%}",
            f"{row['exact_match']:.0%}",
        )
        for row in rows
    ]
    return (
        *table([("candidate", "questions", "right intent", "exact reply"), *cells]),
        "The tiny base begins with random weights: it shows the way, not what training can do.",
        f"{command('trainer', '--practice')} fetches a small base that has learned to speak.",
    )
