"""The process of one job: loads the base, trains, writes what happened, and ends.

Started as ``python -m curator.tune.local.trainer.worker JOB_FOLDER`` (or under torchrun); the only place
besides the chat process where torch is imported.
"""

import os
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.dataset.counted import counted
from curator.tune.local import crash_reasons, devices
from curator.tune.local.crash_reasons import JobRefused
from curator.tune.local.devices import Device
from curator.tune.local.job_folders import JobFolder
from curator.tune.local.options import TrainingOptions
from curator.tune.local.trainer import estimates
from curator.tune.local.trainer.distributed import is_main_process
from curator.tune.local.trainer.examples import Example, encoder
from curator.tune.local.trainer.reading import read_examples
from curator.tune.local.weights import gguf_adapter

if TYPE_CHECKING:
    from curator.tune.local.bases.bases import Base
    from curator.tune.local.trainer.loop import Outcome


def main(arguments: list[str]) -> int:
    """Run the job in the given folder; the exit code is 0 unless the process itself failed."""
    job = JobFolder(Path(arguments[0]))
    try:
        if is_main_process():
            job.update(pid=os.getpid(), status="running", started_at=int(time.time()))
            crash_reasons.reserve(job.path)
        _run(job)
    except Exception as error:  # noqa: BLE001 - worker boundary: the job fails, the server lives
        _fail(job, error)
        if isinstance(error, JobRefused):
            return 0
        traceback.print_exc()
        return 1
    finally:
        if is_main_process():
            crash_reasons.release(job.path)
    return 0


def _run(job: JobFolder) -> None:
    from curator.tune.local.bases.bases import BaseUnusable, find_base

    spec = job.spec
    options = TrainingOptions.from_json(spec["options"])
    try:
        # A job that travels has its base beside it.
        beside = job.file(spec["base"])
        base = find_base(str(beside) if (beside / "config.json").is_file() else spec["base"])
        options = options.within(base.context)
        device = devices.choose(options)
        run = _run_head if options.method == "head" else _run_loop
        outcome = run(job, base, options, device)
        if outcome.status == "succeeded" and is_main_process():
            made = job.checkpoints_root / f"step-{outcome.step}"
            job.event(gguf_adapter.prepare(base.folder, made))
        _finish(job, outcome, device)
    except BaseUnusable as error:
        raise JobRefused(str(error), "model_unusable", "model") from error


def _run_loop(job: JobFolder, base: "Base", options: TrainingOptions, device: Device) -> "Outcome":
    from curator.tune.local.bases.bases import load_tokenizer, load_weights
    from curator.tune.local.trainer.loop import Loop
    from curator.tune.local.weights import methods, vocabulary

    tokenizer = load_tokenizer(base)
    words = options.added_tokens
    if words:
        # The sizes decide before the weights are there, so the tokenizer learns the words first.
        old = load_tokenizer(base)
        parts = vocabulary.teach(tokenizer, words)
    train = _examples(job, tokenizer, "training", options)
    validation = _examples(job, tokenizer, "validation", options)
    if words and is_main_process():
        before = sum(e.length for e in _examples(job, old, "training", options, reports_cuts=False))
        after = sum(e.length for e in train)
        job.event(
            f"{counted(len(parts), 'word')} got a token of their own: {counted(before, 'token')} became {after:,}, "
            f"{before - after:,} saved ({(before - after) / max(before, 1):.1%})."
        )
    _check_memory(job, base, options, train, device)
    four_bits_on = device.place() if options.method == "qlora" else None
    weights = load_weights(base, device.dtype(options), four_bits_on)
    new_rows = vocabulary.extend(tokenizer, weights, parts) if words else ()
    network = methods.prepare(weights, options, new_rows)
    return Loop(job, network, train, validation, options, device).run()


def _run_head(job: JobFolder, base: "Base", options: TrainingOptions, device: Device) -> "Outcome":
    from curator.tune.local.bases.bases import load_tokenizer, load_weights
    from curator.tune.local.trainer.heads import HeadRun, example_of
    from curator.tune.local.trainer.loop import Outcome

    if not is_main_process():
        return Outcome("succeeded", 0, 0)  # a head is quick: one process makes it
    spec = job.spec
    train = read_examples(job.file(spec["training_path"]), "training_file", example_of)
    path = spec.get("validation_path")
    validation = read_examples(job.file(path), "validation_file", example_of) if path else []
    network = load_weights(base, device.dtype(options)).to(device.place())
    return HeadRun(job, network, load_tokenizer(base), options).run(train, validation)


def _examples(
    job: JobFolder,
    tokenizer: Any,
    part: str,
    options: TrainingOptions,
    *,
    reports_cuts: bool = True,
) -> list[Example]:
    """Encode the training or validation file; raises JobRefused where lines cannot be trained on."""
    path = job.spec.get(f"{part}_path")
    if not path:
        return []
    found = read_examples(job.file(path), f"{part}_file", encoder(tokenizer, options))
    examples = [example for line in found for example in line]
    cut = sum(example.lost > 0 for example in examples)
    if cut and is_main_process() and reports_cuts:
        job.event(
            f"{counted(cut, 'example was', 'examples were')} cut at {counted(options.max_tokens, 'token')}.",
            level="warn",
        )
    return examples


def _check_memory(
    job: JobFolder, base: "Base", options: TrainingOptions, train: list[Example], device: Device
) -> None:
    """Say what the job will take; raises JobRefused where that is over 80 % of free memory."""
    facts = estimates.facts_of(base.folder, card=device.is_card, half=device.half)
    # A preference holds two answers in memory at once.
    rows = 2 if options.objective == "preference" else 1
    longest = rows * max(example.longest for example in train)
    needed = estimates.estimate(facts, options, longest, sum(e.length for e in train))
    free = device.free_memory() if device.is_card else estimates.free_memory()
    smaller = estimates.smaller_by_half(facts, options, longest, free)
    whose = f"the memory of {device.name}" if device.is_card else "memory"
    if is_main_process():
        pace = (
            "" if device.is_card else f"{estimates.duration_words(needed.seconds)} of one core and "
        )
        job.event(
            f"{counted(len(train), 'example')}, {sum(e.trained for e in train):,} to learn; {options.method} "
            f"for {counted(options.epochs, 'epoch')}. About {pace}{needed.memory / 2**30:.1f} GB of {whose}."
        )
        job.update(
            estimated_memory=needed.memory,
            estimated_seconds=round(needed.seconds),
            smaller=estimates.in_words(smaller),
        )
    if needed.memory <= estimates.SHARE * free:
        return
    fitting = estimates.smaller_that_fits(facts, options, longest, free)
    advice = (
        f"It would fit with {estimates.in_words(fitting)}."
        if fitting
        else "No setting makes it fit; take a smaller base or shorter conversations."
    )
    raise JobRefused(
        f"This job needs about {needed.memory / 2**30:.1f} GB of {whose}, more than 80 % of the "
        f"{free / 2**30:.1f} GB that are free. {advice}",
        "out_of_memory",
        "batch_size",
    )


def _finish(job: JobFolder, outcome: "Outcome", device: Device) -> None:
    if not is_main_process():
        return
    import psutil

    used = psutil.Process()
    cpu = used.cpu_times()
    words = {"succeeded": "The job is done", "paused": "Paused", "cancelled": "Cancelled"}
    card = device.peak_memory()
    on_card = f", {card / 2**30:.1f} GB of {device.name}" if card else ""
    job.event(
        f"{words[outcome.status]}: {cpu.user + cpu.system:.0f} seconds of CPU, "
        f"{_peak_memory() / 2**30:.1f} GB of memory at most{on_card}."
    )
    job.update(
        status=outcome.status,
        finished_at=int(time.time()) if outcome.status != "paused" else None,
        checkpoint=f"step-{outcome.step}" if outcome.status == "succeeded" else None,
        trained_tokens=outcome.trained_tokens,
        estimated_finish=None,
        cpu_seconds=round(cpu.user + cpu.system, 1),
        peak_memory=_peak_memory(),
        card=device.name if device.is_card else None,
        card_memory=card,
        pid=None,
    )


def _peak_memory() -> int:
    """Return the most bytes this process ever held."""
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _fail(job: JobFolder, error: Exception) -> None:
    """Write down why the job ended; among several processes only the leading one does."""
    if not is_main_process():
        return
    crash_reasons.release(job.path)
    message, code, param = crash_reasons.reason(error, job.state.get("smaller") or "")
    refused = error.refused if isinstance(error, JobRefused) else ()
    if refused:
        listed = [entry.to_json() for entry in refused]
        job.event(
            f"{counted(len(listed), 'example is', 'examples are')} refused.",
            level="error",
            details={"refused": listed},
        )
    job.fail(message, code, param)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
