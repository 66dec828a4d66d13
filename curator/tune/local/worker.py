"""The process of one job: loads the base, trains, writes what happened, and ends.

Started as ``python -m curator.tune.local.worker JOB_FOLDER`` (or under torchrun); the only place
besides the chat process where torch is imported.
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from curator.tune.local.encoding import Sample, TemplateRefused, encode_conversation
from curator.tune.local.folders import JobFolder
from curator.tune.local.options import TrainingOptions

if TYPE_CHECKING:
    from curator.tune.local.loop import Outcome

_T = TypeVar("_T")


class JobRefused(ValueError):
    """A job cannot start; code and param are what the API reports."""

    def __init__(self, message: str, code: str, param: str) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


def main(arguments: list[str]) -> int:
    """Run the job in the given folder; the exit code is 0 unless the process itself failed."""
    job = JobFolder(Path(arguments[0]))
    job.update(pid=os.getpid(), status="running", started_at=int(time.time()))
    try:
        _run(job)
    except (JobRefused, MemoryError) as error:
        _fail(job, *_reason(error))
    except Exception as error:  # noqa: BLE001 - worker boundary: the job fails, the server lives
        traceback.print_exc()
        _fail(job, f"The job failed: {type(error).__name__}: {error}", "internal_error", None)
        return 1
    return 0


def _run(job: JobFolder) -> None:
    from curator.tune.local import methods
    from curator.tune.local.bases import BaseUnusable, find_base, load_tokenizer, load_weights
    from curator.tune.local.loop import Loop

    spec = job.spec
    options = TrainingOptions.from_json(spec["options"])
    if options.method == "head":
        _finish(job, _run_head(job, spec, options))
        return
    try:
        base = find_base(spec["base"])
        tokenizer = load_tokenizer(base)
        train = _samples(job, tokenizer, spec["training_path"], options, "training_file")
        validation = (
            _samples(job, tokenizer, spec["validation_path"], options, "validation_file")
            if spec.get("validation_path")
            else []
        )
        weights = load_weights(base)
    except BaseUnusable as error:
        raise JobRefused(str(error), "model_unusable", "model") from error
    job.event(
        f"{len(train)} conversations, {sum(s.trained for s in train):,} trained tokens; "
        f"{options.method} for {options.epochs} epochs."
    )
    _finish(job, Loop(job, methods.prepare(weights, options), train, validation, options).run())


def _run_head(job: JobFolder, spec: dict[str, Any], options: TrainingOptions) -> "Outcome":
    from curator.tune.local.bases import BaseUnusable, find_base, load_tokenizer, load_weights
    from curator.tune.local.heads import HeadRun, example_of

    train = _read(spec["training_path"], "training_file", example_of)
    path = spec.get("validation_path")
    validation = _read(path, "validation_file", example_of) if path else []
    try:
        base = find_base(spec["base"])
        return HeadRun(job, load_weights(base), load_tokenizer(base), options).run(
            train, validation
        )
    except BaseUnusable as error:
        raise JobRefused(str(error), "model_unusable", "model") from error


def _finish(job: JobFolder, outcome: "Outcome") -> None:
    finished = int(time.time()) if outcome.status != "paused" else None
    checkpoint = f"step-{outcome.step}" if outcome.status == "succeeded" else None
    words = {"succeeded": "The job is done.", "paused": "Paused.", "cancelled": "Cancelled."}
    job.event(words[outcome.status])
    job.update(
        status=outcome.status,
        finished_at=finished,
        checkpoint=checkpoint,
        trained_tokens=outcome.trained_tokens,
        estimated_finish=None,
        pid=None,
    )


def _samples(
    job: JobFolder, tokenizer: Any, path: str, options: TrainingOptions, param: str
) -> list[Sample]:
    """Encode a file; refuses the job where a line is unreadable or the template refuses it."""

    def encode(record: Any) -> tuple[Sample, ...]:
        return encode_conversation(tokenizer, record, options.max_tokens)

    samples = [sample for found in _read(path, param, encode) for sample in found]
    cut = sum(len(sample.ids) == options.max_tokens for sample in samples)
    if cut:
        job.event(f"{cut} conversations were cut at {options.max_tokens} tokens.", level="warn")
    return samples


def _read(path: str, param: str, convert: Callable[[Any], _T]) -> list[_T]:
    """Convert every line of a file; refuses the job at the first that is unreadable."""
    found: list[_T] = []
    with Path(path).open(encoding="utf-8", newline="\n") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                found.append(convert(json.loads(line)))
            except TemplateRefused as error:
                raise JobRefused(
                    f"Example {number}: {error}.", "invalid_training_file", param
                ) from error
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                raise JobRefused(
                    f"Invalid file format. Example {number} cannot be read: {error}",
                    "invalid_training_file",
                    param,
                ) from error
    if not found:
        raise JobRefused(f"The {param.replace('_', ' ')} is empty.", "invalid_n_examples", param)
    return found


def _reason(error: BaseException) -> tuple[str, str, str | None]:
    if isinstance(error, JobRefused):
        return str(error), error.code, error.param
    return (
        "This computer ran out of memory. Try a smaller batch_size, or checkpointing.",
        "out_of_memory",
        "batch_size",
    )


def _fail(job: JobFolder, message: str, code: str, param: str | None) -> None:
    job.event(message, level="error")
    job.update(
        status="failed",
        error={"message": message, "code": code, "param": param},
        finished_at=int(time.time()),
        pid=None,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
