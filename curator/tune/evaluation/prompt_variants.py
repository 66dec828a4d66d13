"""Prompt variants: tuning without weights, as candidates of their own beside bases and checkpoints.

A variant is a base model with a system prompt, or with some demonstrations of the train part put
before every question (few-shot), or both. Demonstrations come from the train part alone and never
from the very conversation that is asked, so that a comparison on the test part stays honest.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from curator.curate.duplicates.words import normal_form
from curator.curate.duplicates.words import words as words_of
from curator.dataset.conversation import SYSTEM_ROLES
from curator.dataset.counted import counted
from curator.dataset.errors import BrokenFile, UnreadableInput, WrongUse
from curator.dataset.json_values import BadJson, loads
from curator.dataset.progress import never_cancelled, no_progress
from curator.tune.jobs.training_files import open_export
from curator.tune.named_files import NamedFiles, read_model
from curator.tune.targets.profiles import find_target, state_folder

PREFIX: Final = "prompt:"
"""What the name of a variant begins with where a candidate is named."""

_FILES: Final = NamedFiles(lambda: state_folder() / "prompts", "prompt variant")
_MOST_SHOTS: Final = 64
_MOST_POOL: Final = 5_000

Messages = tuple[Mapping[str, Any], ...]


class Demonstration(BaseModel):
    """A question and the answer the train part demonstrates for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: str
    answer: str


class PromptVariant(BaseModel):
    """One variant; pool holds the demonstrations it chooses from, all of them where pick is "fixed".

    pick says how: the same shots for every question, or those whose words are nearest to it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    target: str
    base: Annotated[str, Field(min_length=1)]
    system: str = ""
    shots: Annotated[int, Field(ge=0, le=_MOST_SHOTS)] = 0
    pick: Literal["fixed", "nearest"] = "fixed"
    pool: tuple[Demonstration, ...] = ()
    snapshot: str = ""

    def messages(self, asked: Sequence[Mapping[str, Any]]) -> Messages:
        """Return what is sent for a question: the variant's own words, then what was asked."""
        rest = list(asked)
        system = self.system
        if rest and rest[0].get("role") in SYSTEM_ROLES:
            first = rest.pop(0)
            system = system or str(first.get("content") or "")
        lead = [{"role": "system", "content": system}] if system else []
        question = next((m["content"] for m in reversed(rest) if m.get("role") == "user"), "")
        for one in self._chosen(str(question)):
            lead.append({"role": "user", "content": one.question})
            lead.append({"role": "assistant", "content": one.answer})
        return (*lead, *rest)

    def _chosen(self, question: str) -> Sequence[Demonstration]:
        if self.pick == "fixed":
            return self.pool[: self.shots]
        asked = normal_form(question)
        words = set(words_of(question))
        others = [one for one in self.pool if normal_form(one.question) != asked]
        ranked = sorted(others, key=lambda one: -_likeness(words, one.question))
        # The nearest one stands last, right before the question.
        return ranked[: self.shots][::-1]


def make_variant(
    name: str,
    target: str,
    base: str,
    *,
    system: str = "",
    shots: int = 0,
    pick: str = "fixed",
    export: Path | None = None,
    seed: int = 7,
) -> PromptVariant:
    """Return a variant with its demonstrations read from the train part of an export.

    Raises WrongUse for what does not go together, UnreadableInput where the export cannot be read.
    """
    find_target(target)
    _FILES.path(name)
    if not 0 <= shots <= _MOST_SHOTS:
        raise WrongUse(
            f"A variant has at most {counted(_MOST_SHOTS, 'demonstration')}, not {shots}."
        )
    if not system.strip() and not shots:
        raise WrongUse("A prompt variant needs a system prompt, demonstrations, or both.")
    if shots and export is None:
        raise WrongUse("Demonstrations come from the train part of an export: name its folder.")
    if pick not in ("fixed", "nearest"):
        raise WrongUse(f'Demonstrations are picked "fixed" or "nearest", not "{pick}".')
    pool: tuple[Demonstration, ...] = ()
    snapshot = ""
    if shots and export is not None:
        exported = open_export(export)
        if exported.train.name in exported.changed(no_progress, never_cancelled):
            raise UnreadableInput(
                f"{exported.train} is not what its manifest says, so no demonstrations are taken from "
                "it. Export again.",
                exported.train,
            )
        snapshot = exported.snapshot
        found = [one for line in exported.lines() if (one := _demonstration(line))]
        if not found:
            raise WrongUse(f"{exported.train} has no row that asks once and answers in text.")
        chance = random.Random(seed)
        pool = tuple(
            chance.sample(found, min(len(found), shots if pick == "fixed" else _MOST_POOL))
        )
    return PromptVariant(
        name=name, target=target, base=base, system=system, shots=min(shots, len(pool)),
        pick=pick, pool=pool, snapshot=snapshot,
    )  # fmt: skip


def save_variant(variant: PromptVariant) -> Path:
    """Keep a variant, in place of an earlier one of its name."""
    return _FILES.write(variant.name, variant.model_dump())


def load_variants() -> tuple[PromptVariant, ...]:
    """Return every kept variant that can be read, by name; broken_variants names the others."""
    return tuple(found for found in _all() if isinstance(found, PromptVariant))


def broken_variants() -> tuple[BrokenFile, ...]:
    """Return what is wrong with the kept variants that cannot be read."""
    return tuple(found for found in _all() if isinstance(found, BrokenFile))


def _all() -> Iterator[PromptVariant | BrokenFile]:
    for name in _FILES.names():
        try:
            yield _read(_FILES.path(name))
        except BrokenFile as error:
            yield error


def find_variant(name: str) -> PromptVariant:
    """Return a variant by its name, with or without the prefix; raises WrongUse where there is none."""
    return _read(_FILES.find(name.removeprefix(PREFIX)))


def remove_variant(name: str) -> None:
    """Remove a kept variant; raises WrongUse where there is none of that name."""
    _FILES.remove(name.removeprefix(PREFIX))


def as_asked(candidate: str, messages: Sequence[Mapping[str, Any]]) -> tuple[str, Messages]:
    """Return the model and the messages that are really sent when a candidate is asked."""
    if not candidate.startswith(PREFIX):
        return candidate, tuple(messages)
    variant = find_variant(candidate)
    return variant.base, variant.messages(messages)


def _demonstration(line: str) -> Demonstration | None:
    """Return a row that asks once and answers in text; other rows demonstrate nothing here."""
    try:
        row = loads(line)
    except BadJson:
        return None
    messages = row.get("messages") if isinstance(row, dict) else None
    said = [m for m in messages or () if isinstance(m, dict) and m.get("role") != "system"]
    if [m.get("role") for m in said] != ["user", "assistant"]:
        return None
    question, answer = (m.get("content") for m in said)
    if not isinstance(question, str) or not isinstance(answer, str):
        return None
    return Demonstration(question=question, answer=answer)


def _likeness(words: set[str], question: str) -> float:
    """Return the Jaccard similarity of the words of two questions."""
    other = set(words_of(question))
    return len(words & other) / len(words | other) if words or other else 0.0


def _read(path: Path) -> PromptVariant:
    return read_model(path, PromptVariant)
