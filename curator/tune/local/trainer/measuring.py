"""What a job on this computer would read of each row, before its start: by the base's own tokenizer.

The rows go through the very code of the worker, in a process of its own: ``python -m
curator.tune.local.trainer.measuring BASE OPTIONS`` reads training lines and writes one JSON object for each.
No torch is needed where the base's files can be read without it.
"""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from curator.dataset.errors import Cancelled
from curator.dataset.progress import CancelledCall
from curator.dataset.record import Kind, looks_like
from curator.tune.local.bases.bases import Base, BaseUnusable, find_base, load_tokenizer
from curator.tune.local.bases.environment import trainer_python
from curator.tune.local.bases.light_tokenizer import LightTokenizer, can_read
from curator.tune.local.options import TrainingOptions
from curator.tune.local.trainer.examples import encoder
from curator.tune.local.trainer.heads import example_of
from curator.tune.local.trainer.reading import BROKEN, convert_line
from curator.tune.local.weights import vocabulary

# The answers of so many lines fit into a pipe, so neither side waits for the other with a full one.
_AT_ONCE: Final = 8
_REASON: Final = 200


class NotMeasurable(Exception):
    """Nothing here can read the base's tokenizer; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a job reads of one line in an epoch, in tokens.

    lost is what was cut off; longest is what one row of a batch needs; refused says why the line
    cannot be trained on, empty where it can.
    """

    tokens: int = 0
    lost: int = 0
    trained: int = 0
    longest: int = 0
    refused: str = ""

    @property
    def is_broken(self) -> bool:
        """Whether the line is no conversation, whatever the base is."""
        return self.refused.startswith(BROKEN)


def measure(
    base: Base,
    options: TrainingOptions,
    lines: Iterable[str],
    cancelled: CancelledCall,
    *,
    any_kind: bool = False,
) -> Iterator[Row]:
    """Yield what each line takes, in their order; raises NotMeasurable, BaseUnusable or Cancelled.

    With any_kind a line of preferences is read as one, whatever objective the options name.
    """
    wanted = json.dumps(options.to_json())
    home = str(Path(__file__).resolve().parents[4])
    path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH", "")]))
    variables = {"PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    process = subprocess.Popen(
        [
            *(_python(base, options), "-m", __name__, base.name, wanted),
            *(["any"] if any_kind else []),
        ],
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    waiting = iter(lines)
    try:
        while batch := list(islice(waiting, _AT_ONCE)):
            # A line break within a line is white space between values: in a text it is escaped.
            texts = [line.replace("\n", " ").replace("\r", " ") for line in batch]
            process.stdin.writelines(f"{text}\n".encode(errors="surrogatepass") for text in texts)
            process.stdin.flush()
            for _ in batch:
                if cancelled():
                    raise Cancelled("The counting was cancelled.")
                yield _row(process.stdout.readline())
    except BrokenPipeError as error:
        _row(process.stdout.readline())
        raise NotMeasurable("the process that counts ended") from error
    finally:
        process.kill()
        process.stdin.close()
        process.stdout.close()
        process.wait()


def _row(line: bytes) -> Row:
    """Read what the other process said of a line."""
    said: dict[str, Any] = json.loads(line) if line else {"failed": "the process that counts ended"}
    if "unusable" in said:
        raise BaseUnusable(said["unusable"])
    if "failed" in said:
        raise NotMeasurable(said["failed"])
    return Row(**said)


def _python(base: Base, options: TrainingOptions) -> str:
    """Return the Python that can read the base's tokenizer; raises NotMeasurable."""
    is_python = not getattr(sys, "frozen", False)
    if is_python and _light_can(base, options):
        return sys.executable
    trainer = trainer_python()
    if trainer is None:
        raise NotMeasurable("the trainer is not set up (curator trainer --install)")
    return trainer


def _light_can(base: Base, options: TrainingOptions) -> bool:
    packages = all(map(importlib.util.find_spec, ("fastokens", "jinja2")))
    return packages and not options.added_tokens and can_read(base.folder)


def main(arguments: list[str]) -> int:
    """Measure the lines of standard input."""
    name, wanted, *any_kind = arguments
    try:
        base = find_base(name)
        options = TrainingOptions.from_json(json.loads(wanted))
        take = _taker(base, options, any_kind=bool(any_kind))
    except (BaseUnusable, ImportError) as error:
        kind = "unusable" if isinstance(error, BaseUnusable) else "failed"
        sys.stdout.write(json.dumps({kind: str(error)}) + "\n")
        return 1
    for line in sys.stdin.buffer:
        value, reason = convert_line(line.decode("utf-8", "surrogateescape"), take)
        said = {"refused": reason[:_REASON]} if value is None else value
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
    return 0


def _taker(
    base: Base, options: TrainingOptions, *, any_kind: bool = False
) -> Callable[[Mapping[str, Any]], dict[str, int]]:
    """Return the function that measures a record as the job of these options will read it."""
    light = _light_can(base, options)
    tokenizer: Any = LightTokenizer(base.folder) if light else load_tokenizer(base)
    if options.added_tokens:
        vocabulary.teach(tokenizer, options.added_tokens)
    limit = options.max_tokens
    if options.method == "head":

        def classify(record: Mapping[str, Any]) -> dict[str, int]:
            ids, _, lost = example_of(record).ids(tokenizer, limit)
            return {"tokens": len(ids), "lost": lost, "trained": 1, "longest": len(ids)}

        return classify
    read = encoder(tokenizer, options)
    read_pair = encoder(tokenizer, replace(options, objective="preference"))

    def take(record: Mapping[str, Any]) -> dict[str, int]:
        is_pair = any_kind and looks_like(record) is Kind.PREFERENCE
        examples = read_pair(record) if is_pair else read(record)
        return {
            "tokens": sum(example.length for example in examples),
            "lost": sum(example.lost for example in examples),
            "trained": sum(example.trained for example in examples),
            "longest": max(example.longest for example in examples),
        }

    return take


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
