"""How much memory and time a job will take, before it starts; needs no torch.

The figures were measured with a base of 135 million parameters on a CPU, in 32 bits: 110 tokens a
second of one core, and about 4 MB of activations for each token of a batch. On an NVIDIA card the
weights that do not learn and the activations are held in 16 bits, those of qlora in a little more
than 4.
"""

import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import psutil

from curator.dataset.counted import counted
from curator.tune.local.job_folders import read_json
from curator.tune.local.options import TrainingOptions

MEMORY_KEY: Final = "CURATOR_TRAINER_MEMORY_MB"
"""The environment variable that sets how much memory training may take, in place of what is free."""

SHARE: Final = 0.8
_LIBRARIES: Final = 400 * 2**20
_CONTEXT: Final = 600 * 2**20
_COPIES_OF_A_LAYER: Final = 48
_COPIES_OF_LOGITS: Final = 4
_TOKENS_PER_SECOND: Final = 110.0
_MEASURED_PARAMETERS: Final = 135e6
_FASTEST: Final = 20_000.0
_TEXTS_AT_ONCE: Final = 32
_FORWARDS_SHARE: Final = 3
"""Going forwards and back takes about three times as long as going forwards."""


@dataclass(frozen=True, slots=True)
class BaseFacts:
    """What an estimate needs to know of a base."""

    parameters: int
    layers: int
    width: int
    vocabulary: int
    card: bool = False
    half: bool = False

    def bytes(self, method: str) -> int:
        """Return the size of the weights in memory: 16 or 32 bits each, or 4 where quantised."""
        whole = 2 if self.half and method != "full" else 4
        if method != "qlora":
            return whole * self.parameters
        # The embedding is not quantised; scales add half a bit to each of the other weights.
        table = min(self.vocabulary * self.width, self.parameters)
        return whole * table + (self.parameters - table) * 9 // 16


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes at most, and seconds of one core."""

    memory: int
    seconds: float


def facts_of(folder: Path, *, card: bool = False, half: bool = False) -> BaseFacts:
    """Read a base's size from its config and the headers of its safetensors files.

    card and half say that it is to learn on an NVIDIA card, and in 16 bits.
    """
    config = read_json(folder / "config.json")
    config = {**config, **(config.get("text_config") or {})}
    return BaseFacts(
        parameters=sum(_parameters(path) for path in folder.glob("*.safetensors")),
        layers=int(config.get("num_hidden_layers") or config.get("n_layer") or 12),
        width=int(config.get("hidden_size") or config.get("n_embd") or 768),
        vocabulary=int(config.get("vocab_size") or 50_000),
        card=card,
        half=half,
    )


def estimate(facts: BaseFacts, options: TrainingOptions, longest: int, tokens: int) -> Estimate:
    """Estimate a job: longest is the tokens of its longest example, tokens those of all together."""
    trained = facts.parameters if options.method == "full" else _adapter_parameters(facts, options)
    per_token = (
        facts.layers * facts.width * _COPIES_OF_A_LAYER * (2 if facts.half else 4)
        + 4 * facts.vocabulary * _COPIES_OF_LOGITS
    )
    if options.checkpointing:
        per_token //= 2
    extra = options.virtual_tokens if options.method == "prompt" else 0
    in_batch = options.batch_size * (longest + extra)
    # Gradients and the two averages of AdamW; the state is written from a copy of the weights.
    fixed = _CONTEXT if facts.card else _LIBRARIES
    memory = fixed + facts.bytes(options.method) + 12 * trained + per_token * in_batch
    seconds = options.epochs * tokens * seconds_per_token(facts)
    return Estimate(int(memory), seconds)


def estimate_head(facts: BaseFacts, longest: int, tokens: int) -> Estimate:
    """Estimate a label head: the base is read once, forwards only, and the head itself takes seconds."""
    # The states of every layer are held, and what one layer works with; no word is predicted.
    per_token = 4 * facts.width * (facts.layers + 8)
    memory = _LIBRARIES + facts.bytes("head") + per_token * _TEXTS_AT_ONCE * longest
    return Estimate(int(memory), tokens * seconds_per_token(facts) / _FORWARDS_SHARE)


def seconds_per_token(facts: BaseFacts) -> float:
    """Return how long one core takes for one token, there and back."""
    return 1 / _FASTEST + facts.parameters / _MEASURED_PARAMETERS / _TOKENS_PER_SECOND


def free_memory() -> int:
    """Return the bytes training may take: what is free here, within a container's limit."""
    given = os.environ.get(MEMORY_KEY)
    # torchrun's processes on this machine share what there is.
    sharing = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if given and given.isdigit():
        return int(given) * 2**20 // sharing
    free = psutil.virtual_memory().available
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    try:
        free = min(free, int(limit.read_text("utf-8")) - int(used.read_text("utf-8")))
    except (OSError, ValueError):
        return free // sharing  # no container, or one without a limit ("max")
    return free // sharing


def smaller_that_fits(
    facts: BaseFacts, options: TrainingOptions, longest: int, free: int
) -> dict[str, Any]:
    """Return the mildest changes of options that fit in 80 % of free memory; empty where none do.

    First smaller batches that add up to the same update, then gradient checkpointing, then shorter
    conversations.
    """

    def fits(chosen: TrainingOptions, length: int) -> bool:
        return estimate(facts, chosen, length, 0).memory <= SHARE * free

    for checkpointing in sorted({options.checkpointing, True}):
        size = options.batch_size
        while size >= 1:
            tried = replace(options, batch_size=size, checkpointing=checkpointing)
            if fits(tried, longest):
                return _changes(options, tried)
            size //= 2
    length = longest // 2
    while length >= 64:
        tried = replace(options, batch_size=1, checkpointing=True, max_tokens=length)
        if fits(tried, length):
            return _changes(options, tried)
        length //= 2
    return {}


def smaller_by_half(
    facts: BaseFacts, options: TrainingOptions, longest: int, free: int
) -> dict[str, Any]:
    """Return the mildest changes that take half the room of a job, or of what is free if that is less.

    What a job is told where the memory ran out although the estimate said that it would do.
    """
    fixed = _CONTEXT if facts.card else _LIBRARIES
    needed = estimate(facts, options, longest, 0).memory
    room = min(free / 2, (fixed + (needed - fixed) / 2) / SHARE)
    found = smaller_that_fits(facts, options, longest, int(room))
    if found or options.batch_size == 1:
        return found
    return _changes(options, replace(options, batch_size=options.batch_size // 2))


def _changes(before: TrainingOptions, after: TrainingOptions) -> dict[str, Any]:
    old, new = before.to_json(), after.to_json()
    changed = {name: value for name, value in new.items() if value != old[name]}
    if "batch_size" in changed:
        whole = before.batch_size * before.accumulation
        changed["accumulation"] = -(-whole // after.batch_size)
    return changed


def in_words(changes: Mapping[str, Any]) -> str:
    """Return changes as a person types them: batch_size 2, checkpointing true."""
    return ", ".join(f"{name} {json.dumps(value)}" for name, value in changes.items())


def duration_words(seconds: float) -> str:
    """Return a time in words, about as exact as it is known."""
    if seconds < 90:
        return counted(max(1, round(seconds)), "second")
    if seconds < 90 * 60:
        return counted(round(seconds / 60), "minute")
    return f"{seconds / 3600:.1f} hours"


def _adapter_parameters(facts: BaseFacts, options: TrainingOptions) -> int:
    if options.method == "prompt":
        return options.virtual_tokens * facts.width
    # Seven matrices a layer, the three of the feed-forward part about three times as wide.
    return facts.layers * options.rank * facts.width * 22


def _parameters(path: Path) -> int:
    """Count the numbers in a safetensors file from its header; the tensors are not read."""
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(length))
    total = 0
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        count = 1
        for side in entry["shape"]:
            count *= side
        total += count
    return total
