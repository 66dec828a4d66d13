"""The last steps of the demonstration: a job on this computer, and the base against what it became."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from curator.cli.answer import Answer
from curator.cli.progress import Progress
from curator.dataset.invocation import command
from curator.dataset.json_values import Json

_BASE: Final = "tiny"
_LABELS: Final = "intent"
_MOST_TOKENS: Final = 60
_TARGET: Final = "this-computer"
_ADVICE: Final = (
    "The tiny base begins with random weights: it shows the way, not what training can do.",
)

Verb = Callable[[tuple[str, ...], Progress], Answer]
Tell = Callable[[str, str, tuple[str, ...], Answer, float], None]


def can_train() -> bool:
    """Tell whether the trainer is set up, so that the demonstration can end with a checkpoint."""
    from curator.tune.local.bases.environment import trainer_python

    return trainer_python() is not None


def train_and_compare(
    project: Path, export: Path, verb: Verb, tell: Tell, progress: Progress
) -> dict[str, Json]:
    """Train the tiny base on the export and compare; returns steps, job, checkpoint and comparison."""
    arguments = ("train", str(export), "--target", _TARGET, "--base", _BASE, "--follow")
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
    words = _comparing(project, str(found["checkpoint"]))
    compared = verb(words, progress)
    seconds = round(time.monotonic() - begun, 2)
    rows = _rows(compared)
    found["comparison"] = rows
    found["steps"].append(_step("compare", {"candidates": len(rows)}, seconds))
    answer = Answer({}, (*compared.lines, *_ADVICE, _practice()))
    tell("compare", "base against tuned on the test split", words, answer, seconds)
    return found


def _comparing(project: Path, checkpoint: str) -> tuple[str, ...]:
    """Return the command that asks the base and the checkpoint what the test split asks."""
    return (
        *("evaluate", str(project), "--split", "test", "--where", "status:accepted"),
        *("--candidate", f"{_TARGET}/{_BASE}", "--candidate", f"{_TARGET}/{checkpoint}"),
        *("--set", _LABELS, "--max-tokens", str(_MOST_TOKENS)),
    )


def _rows(compared: Answer) -> list[Json]:
    """Return what each candidate scored, in the keys that the demo promises."""
    return [
        {
            "candidate": name,
            "items": compared.keys["items"],
            "exact_match": row["exact_match"],
            "label_accuracy": row["accuracy"],
            "unparsable": row["unparsable"],
        }
        for name, row in compared.keys["candidates"].items()
    ]


def _step(name: str, result: dict[str, Json], seconds: float) -> dict[str, Json]:
    return {"name": name, "result": result, "seconds": seconds}


def _practice() -> str:
    return f"{command('trainer', '--practice')} fetches a small base that has learned to speak."
