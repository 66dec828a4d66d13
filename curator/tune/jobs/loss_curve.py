"""What a job measured: points of the loss curve from events, and the result table some servers give."""

import base64
import binascii
import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from curator.tune.services.port import Checkpoint, Event

NAMES: Final = {
    "train_loss": ("train_loss", "training_loss", "loss"),
    "valid_loss": ("valid_loss", "validation_loss", "eval_loss"),
    "full_valid_loss": ("full_valid_loss", "full_validation_loss"),
    "train_accuracy": ("train_mean_token_accuracy", "train_accuracy"),
    "valid_accuracy": ("valid_mean_token_accuracy", "valid_accuracy", "eval_accuracy"),
    "full_valid_accuracy": ("full_valid_mean_token_accuracy", "full_valid_accuracy"),
    "train_reward": ("train_mean_reward", "train_reward_mean"),
    "valid_reward": ("valid_mean_reward", "valid_reward_mean"),
}
"""Our name of each measure, and the names servers give it."""

_VALIDATION: Final = ("full_valid_loss", "valid_loss")
_NOISE: Final = 1.05
_STEP: Final = re.compile(r"Step (\d+)(?:/(\d+))?:\s*(.*)", re.DOTALL)
_PAIR: Final = re.compile(r"([A-Za-z][A-Za-z_ ]*?)\s*[=:]\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)")


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured at one step."""

    step: int
    values: Mapping[str, float]
    total_steps: int | None = None


def points_of_events(events: Iterable[Event]) -> tuple[Point, ...]:
    """Return the loss curve in events, by step; a step that comes twice keeps its last values."""
    points: dict[int, Point] = {}
    for event in events:
        point = _from_data(event.data) or _from_text(event.message)
        if point is None:
            continue
        before = points.get(point.step)
        merged = {**before.values, **point.values} if before else dict(point.values)
        total = point.total_steps or (before.total_steps if before else None)
        points[point.step] = Point(point.step, merged, total)
    return tuple(points[step] for step in sorted(points))


def points_of_result(text: str) -> tuple[Point, ...]:
    """Return the points of a result table; columns are known by name, blanks are left out."""
    table = csv.DictReader(io.StringIO(decode_result(text), newline=None))
    try:
        rows = list(table)
    except csv.Error:
        return ()
    points = []
    for row in rows:
        named = {str(name).strip(): value for name, value in row.items() if name is not None}
        step = _number(named.get("step"))
        if step is None:
            continue
        values = _measures(named)
        points.append(Point(int(step), values))
    return tuple(sorted(points, key=lambda point: point.step))


def decode_result(text: str) -> str:
    """Return a result table as CSV; one service sends it as base64, though it says CSV."""
    plain = text.lstrip("\ufeff").strip()
    if plain.lower().startswith("step"):
        return plain
    try:
        decoded = base64.b64decode("".join(plain.split()), validate=True).decode("utf-8-sig")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return plain
    return decoded.strip() if decoded.lstrip().lower().startswith("step") else plain


def share_done(points: Iterable[Point]) -> float | None:
    """Return the share of all steps that is done, None where the number of steps is unknown."""
    last = max(points, key=lambda point: point.step, default=None)
    if last is None or not last.total_steps:
        return None
    return min(1.0, last.step / last.total_steps)


def measured(points: Sequence[Point]) -> dict[str, Any]:
    """Return a loss curve in a few figures: how far it came, and each measure's first, last and lowest.

    step is None where nothing was measured; total_steps where the server does not tell it.
    """
    found: dict[str, dict[str, Any]] = {}
    for point in points:
        for name, value in point.values.items():
            seen = found.setdefault(
                name, {"first": value, "last": value, "lowest": value, "lowest_step": point.step}
            )
            seen["last"] = value
            if value < seen["lowest"]:
                seen |= {"lowest": value, "lowest_step": point.step}
    last = points[-1] if points else None
    return {
        "step": last.step if last else None,
        "total_steps": last.total_steps if last else None,
        "measures": found,
    }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the validation loss says of a run: where it was lowest, and whether it rose after that."""

    lowest: float
    lowest_step: int
    last: float
    last_step: int

    @property
    def rose(self) -> bool:
        """Whether the run ended clearly above its best: by more than noise, a twentieth."""
        return self.last_step > self.lowest_step and self.last > self.lowest * _NOISE


def verdict(points: Sequence[Point]) -> Verdict | None:
    """Return what the validation loss says, None where it was measured less than twice.

    The loss over the whole validation part counts before that of a few rows.
    """
    for name in _VALIDATION:
        line = [(point.values[name], point.step) for point in points if name in point.values]
        if len(line) > 1:
            lowest, step = min(line)
            last, end = line[-1]
            return Verdict(lowest, step, last, end)
    return None


def best_checkpoint(
    checkpoints: Sequence[Checkpoint], points: Sequence[Point]
) -> Checkpoint | None:
    """Return the checkpoint with the lowest validation loss, None where fewer than two were measured.

    What a server says of a checkpoint counts; where it says nothing, the curve at its step does.
    """
    at = {point.step: point.values for point in points}
    known = [({**at.get(one.step, {}), **_measures(one.metrics)}, one) for one in checkpoints]
    # Losses over the whole validation part and over a few rows of it cannot be compared with each other.
    for name in _VALIDATION:
        found = [(values[name], one.step, one) for values, one in known if name in values]
        if len(found) > 1:
            return min(found, key=lambda each: each[:2])[2]
    return None


def _from_data(data: Mapping[str, Any]) -> Point | None:
    step = _number(data.get("step"))
    if step is None:
        return None
    total = _number(data.get("total_steps"))
    values = _measures(data)
    return Point(int(step), values, None if total is None else int(total)) if values else None


def _from_text(message: str) -> Point | None:
    found = _STEP.search(message)
    if found is None:
        return None
    words = {
        name.strip().lower().replace(" ", "_"): value for name, value in _PAIR.findall(found[3])
    }
    values = _measures(words)
    total = int(found[2]) if found[2] else None
    return Point(int(found[1]), values, total) if values else None


def _measures(named: Mapping[str, Any]) -> dict[str, float]:
    values = {}
    for ours, theirs in NAMES.items():
        for name in theirs:
            number = _number(named.get(name))
            if number is not None:
                values[ours] = number
                break
    return values


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
