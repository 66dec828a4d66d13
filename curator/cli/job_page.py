"""One job on one page: where it stands, what it measured, what it left, and the latest that was said."""

import time
from collections.abc import Iterator
from typing import Final

from curator.cli.answer import FOUND, Answer
from curator.dataset.counted import counted
from curator.dataset.json_values import Json

_LATEST: Final = 10
_CHECKPOINTS: Final = 5
_MEASURES: Final = {
    "train_loss": "training loss",
    "valid_loss": "held-out loss",
    "full_valid_loss": "held-out loss, whole file",
    "train_accuracy": "training accuracy",
    "valid_accuracy": "held-out accuracy",
    "full_valid_accuracy": "held-out accuracy, whole file",
    "train_reward": "training reward",
    "valid_reward": "held-out reward",
}


def outcome(keys: dict[str, Json]) -> Answer:
    """Return the answer for a job as it stands: a page for the eye, and 1 where it failed."""
    code = FOUND if keys["status"] in ("failed", "cancelled") else 0
    return Answer(keys, tuple(_page(keys)), code)


def _page(keys: dict[str, Json]) -> Iterator[str]:
    yield f"{keys['job']} at {keys['target']}: {keys['status']}"
    settings = ", ".join(f"{name} {value}" for name, value in keys["settings"].items())
    yield f"  from {keys['base']} ({keys['method']}), settings {settings or 'all by default'}"
    yield f"  started {_when(keys['created'])}{_took(keys)}"
    yield from _measured(keys["measured"])
    yield from _judged(keys["verdict"])
    if keys["trained_tokens"]:
        yield f"  {counted(keys['trained_tokens'], 'token')} trained"
    yield from _events(keys["events"])
    yield from _checkpoints(keys)
    if keys["failure"]:
        yield str(keys["failure"]["sentence"])
    elif keys["error"]:
        yield str(keys["error"])


def _measured(found: dict[str, Json]) -> Iterator[str]:
    if found["step"] is None:
        return
    of = f" of {found['total_steps']:,}" if found["total_steps"] else ""
    yield f"  step {found['step']:,}{of}"
    for name, value in found["measures"].items():
        said = f"  {_MEASURES.get(name, name)} {value['first']:.4g} -> {value['last']:.4g}"
        if name.endswith("valid_loss") and value["lowest"] < value["last"]:
            said += f" (lowest {value['lowest']:.4g} at step {value['lowest_step']:,})"
        yield said


def _judged(found: dict[str, Json] | None) -> Iterator[str]:
    """Say when more training made it worse on what it does not train on, as the window does."""
    if not found or not found["rose"]:
        return
    yield (
        f"! Validation loss was lowest at step {found['lowest_step']:,}, {found['lowest']:.4g}, and "
        f"rose to {found['last']:.4g} by step {found['last_step']:,}: from there on the training "
        "rows were learned by heart."
    )
    best = found["best_checkpoint"]
    if best is None or best["step"] >= found["last_step"]:
        yield "  Fewer epochs would do."
    else:
        yield f"  The checkpoint of step {best['step']:,} is the best: {best['name']}"


def _events(events: list[dict[str, Json]]) -> Iterator[str]:
    """Yield the latest of what was said besides the steps, which stand in the figures above."""
    told = [event for event in events if event["kind"] != "metrics"]
    if len(told) > _LATEST:
        yield f"  the latest of {counted(len(told), 'message')} (--json has all, and every step):"
    yield from (f"  {event['level']}: {event['message']}" for event in told[-_LATEST:])


def _checkpoints(keys: dict[str, Json]) -> Iterator[str]:
    earlier = [one for one in keys["checkpoints"] if one["name"] != keys["checkpoint"]]
    if len(earlier) > _CHECKPOINTS:
        yield f"{counted(len(earlier) - _CHECKPOINTS, 'more checkpoint')} of earlier steps (--json has all)"
    yield from (f"Step {one['step']:,}: {one['name']}" for one in earlier[-_CHECKPOINTS:])
    if keys["checkpoint"]:
        yield f"The checkpoint: {keys['checkpoint']}"


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _took(keys: dict[str, Json]) -> str:
    if not keys["finished"]:
        return ""
    seconds = max(0.0, keys["finished"] - keys["created"])
    return f", took {seconds:,.0f} s" if seconds < 120 else f", took {seconds / 60:,.0f} min"
