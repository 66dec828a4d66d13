"""Who can be asked: bases and finished checkpoints of every target that is ready, by readable names."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from curator.tune.checkpoint_names import checkpoint_name
from curator.tune.evaluation.prompt_variants import PREFIX, PromptVariant, load_variants
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.port import State
from curator.tune.targets.keys import key_place
from curator.tune.targets.profiles import Target, load_targets


@dataclass(frozen=True, slots=True)
class Candidate:
    """A base model, a checkpoint or a prompt variant at a target; label is what we show.

    name is what the server knows it by, or a variant's own; partner is the base it was tuned from,
    empty for a base.
    """

    target: str
    name: str
    label: str
    partner: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One target that can be asked, and its candidates: newest checkpoints first, then bases."""

    target: Target
    candidates: tuple[Candidate, ...]


def who_can_be_asked(project: str = "") -> tuple[Asked, ...]:
    """Return every target that is ready to answer, this computer first; may ask the key store.

    With the path of a project, checkpoints of other projects' jobs are not among them.
    """
    with closing(JobTable()) as table:
        finished = [
            job
            for job in table.all()
            if job.status is State.SUCCEEDED and job.checkpoint and job.is_of(project)
        ]
        tuned = {job.token: tuple(_checkpoints(table, job)) for job in finished}
    variants = load_variants()
    found = []
    for target in load_targets().values():
        bases = _bases(target)
        if bases is None:
            continue
        own = [job for job in finished if job.target == target.id]
        named = {
            candidate.name: candidate for job in own for candidate in reversed(tuned[job.token])
        }
        plain = dict.fromkeys([*bases, *(job.base for job in own)])
        bare = [_base(target, name) for name in plain if name not in named]
        prompted = [_prompted(one) for one in variants if one.target == target.id]
        found.append(Asked(target, (*named.values(), *prompted, *bare)))
    return tuple(sorted(found, key=_rank))


def first_pair(asked: Iterable[Asked]) -> tuple[Candidate, Candidate] | None:
    """Return the two to compare first: the newest checkpoint and its base, else any two there are."""
    every = [candidate for one in asked for candidate in one.candidates]
    for candidate in every:
        for base in every:
            if candidate.partner and (base.target, base.name) == (
                candidate.target,
                candidate.partner,
            ):
                return base, candidate
    if not every:
        return None
    return every[0], every[1] if len(every) > 1 else every[0]


def _rank(one: Asked) -> tuple[bool, bool, str]:
    return one.target.protocol != "local", not one.candidates, one.target.label


def _bases(target: Target) -> tuple[str, ...] | None:
    """Return the names of a ready target's bases, None where it cannot be asked now."""
    if target.protocol != "local":
        is_ready = target.is_complete and key_place(target) != "missing"
        return target.bases if is_ready else None
    from curator.tune.local.bases.bases import known_bases
    from curator.tune.local.bases.environment import trainer_python
    from curator.tune.local.replies import llama_engine
    from curator.tune.local.weights import gguf_adapter

    if trainer_python() is not None:
        return tuple(base.name for base in known_bases())
    if not llama_engine.is_here():
        return None
    # Without torch only what llama.cpp can take answers.
    fitting = (b.name for b in known_bases() if not gguf_adapter.obstacle(b.folder, None))
    return tuple(fitting) or None


def _base(target: Target, name: str) -> Candidate:
    return Candidate(target.id, name, f"{name} (base)")


def _prompted(variant: PromptVariant) -> Candidate:
    return Candidate(
        variant.target,
        PREFIX + variant.name,
        f"{variant.name} (prompt on {variant.base})",
        variant.base,
    )


def _checkpoints(table: JobTable, job: Job) -> Iterator[Candidate]:
    """Yield a job's checkpoints as candidates, oldest first and its result last."""
    for kept in table.checkpoints(job.token):
        if kept.name and kept.name != job.checkpoint:
            label = checkpoint_name(job, kept.step)
            yield Candidate(job.target, kept.name, label, job.base)
    yield Candidate(job.target, job.checkpoint, checkpoint_name(job), job.base)
