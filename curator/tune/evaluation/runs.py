"""An evaluation run: planned and stored first, then asked, and asked on where it stopped.

Every reply is in the project file before the next question goes out, so a run that is killed asks again
only what was on its way. A reply that the project has for the same model, prompt and settings is taken
instead of asking.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from curator.dataset.counted import counted
from curator.dataset.errors import Cancelled, CuratorError, WrongUse
from curator.dataset.json_values import Json, canonical
from curator.dataset.progress import CancelledCall, ProgressCall, never_cancelled, no_progress
from curator.project.store import evaluation_rows as rows
from curator.project.store.evaluation_rows import StoredItem, StoredReply, StoredRun
from curator.project.store.patches import now_ms
from curator.project.store.project import Project
from curator.tune.evaluation.asking import Asked, AskSettings, Came, ask_all
from curator.tune.evaluation.candidates import RunCandidate, check_names, sent_prompt
from curator.tune.evaluation.items import Item, Prompt, prompt_hash
from curator.tune.evaluation.politeness import USUAL_PACE, Pace
from curator.tune.services.client import Connection, connect
from curator.tune.targets.profiles import Target

PARALLEL: Final = 8
MOST_PARALLEL: Final = 64
_LOCAL_PARALLEL: Final = 2
"""This computer answers one after the other; a second request waits ready."""

Connect = Callable[[Target], Connection]


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run asks of whom; scoring says how replies are read, and is only kept here.

    fresh asks all anew and takes no reply of an earlier run.
    """

    candidates: tuple[RunCandidate, ...]
    settings: AskSettings = field(default_factory=AskSettings)
    split: str = ""
    where: str = ""
    scoring: Mapping[str, Json] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    fresh: bool = False

    def to_json(self) -> dict[str, Json]:
        """Return the plan as it is stored."""
        return {
            "candidates": [each.to_json() for each in self.candidates],
            "settings": self.settings.to_json(),
            "split": self.split,
            "where": self.where,
            "scoring": dict(self.scoring),
            "left_out": dict(self.left_out),
            "fresh": self.fresh,
        }

    @classmethod
    def from_json(cls, plan: Json) -> "RunPlan":
        """Read a stored plan."""
        return cls(
            tuple(RunCandidate.from_json(entry) for entry in plan["candidates"]),
            AskSettings(**plan["settings"]),
            plan["split"],
            plan["where"],
            plan["scoring"],
            plan["left_out"],
            plan["fresh"],
        )


def start_run(project: Project, plan: RunPlan, items: Sequence[Item]) -> StoredRun:
    """Store a new run with all it is going to ask; raises WrongUse where that is nothing."""
    check_names(plan.candidates)
    if not items:
        why = "; ".join(f"{count:,}: {reason}" for reason, count in plan.left_out.items())
        raise WrongUse(
            "There is nothing to ask: the selection has no conversation with a question and an "
            f"answer{f' ({why})' if why else ''}. Choose another split or filter."
        )
    prompts = ((prompt_hash(text), text) for text in (item.prompt.text for item in items))
    stored = _stored(items)
    return rows.add_run(project, secrets.token_hex(4), plan.to_json(), stored, prompts)


def find_equal(project: Project, plan: RunPlan, items: Sequence[Item]) -> StoredRun | None:
    """Return the newest run that asks the same of the same candidates, None where there is none."""
    wanted, questions = canonical(plan.to_json()), _stored(items)
    for run in rows.runs(project):
        if canonical(run.plan) == wanted and rows.items_of(project, run.id) == questions:
            return run
    return None


def _stored(items: Sequence[Item]) -> tuple[StoredItem, ...]:
    return tuple(
        StoredItem(
            at, item.conversation, prompt_hash(item.prompt.text), dict(item.expected), item.label
        )
        for at, item in enumerate(items)
    )


def ask_run(
    project: Project,
    run: StoredRun,
    *,
    parallel: int = PARALLEL,
    progress: ProgressCall = no_progress,
    cancelled: CancelledCall = never_cancelled,
    pace: Pace = USUAL_PACE,
    connect_to: Connect = connect,
) -> StoredRun:
    """Ask what a run has no reply to yet.

    Raises Cancelled or TargetError where it ends early; the run is stopped then, and asked on by
    calling this again.
    """
    rows.set_state(project, run.id, rows.RUNNING)
    plan = RunPlan.from_json(run.plan)
    try:
        asking = _Asking(project, run, plan, progress, cancelled, pace)
        for number in range(len(plan.candidates)):
            asking.ask(number, parallel, connect_to)
    except CuratorError as error:
        rows.set_state(project, run.id, rows.STOPPED, str(error))
        if isinstance(error, Cancelled):
            raise Cancelled(f"{error} {_kept(project, run, plan)}") from None
        raise
    except BaseException:
        rows.set_state(project, run.id, rows.STOPPED, "The program was interrupted.")
        raise
    rows.set_state(project, run.id, rows.DONE)
    return rows.find_run(project, run.token)


def _kept(project: Project, run: StoredRun, plan: RunPlan) -> str:
    kept = rows.reply_count(project, run.id)
    whole = rows.item_count(project, run.id) * len(plan.candidates)
    return f"{counted(kept, 'reply')} of {whole:,} {'is' if kept == 1 else 'are'} kept."


class _Asking:
    """What the candidates of one run share while they are asked."""

    def __init__(
        self,
        project: Project,
        run: StoredRun,
        plan: RunPlan,
        progress: ProgressCall,
        cancelled: CancelledCall,
        pace: Pace,
    ) -> None:
        self._project, self._run, self._plan = project, run, plan
        self._progress, self._cancelled, self._pace = progress, cancelled, pace
        self._items = rows.items_of(project, run.id)
        self._prompts = {
            key: Prompt.parse(text) for key, text in rows.prompt_texts(project, run.id).items()
        }
        self._total = len(self._items) * len(plan.candidates)
        self._answered = rows.answered(project, run.id)

    def ask(self, number: int, parallel: int, connect_to: Connect) -> None:
        """Ask one candidate all that it has not answered."""
        candidate = self._plan.candidates[number]
        self._tell(candidate)
        missing = [i for i in self._items if (number, i.position) not in self._answered]
        if not missing:
            return
        variant = candidate.variant()
        model = candidate.model if variant is None else variant.base
        target = candidate.find_target()
        wanted: dict[bytes, _Wanted] = {}
        for item in missing:
            sent = sent_prompt(variant, self._prompts[item.prompt])
            text = sent.text
            key = reply_key(target, model, prompt_hash(text), self._plan.settings)
            wanted.setdefault(key, _Wanted(key, text, sent)).positions.append(item.position)
        if not self._plan.fresh:
            known = rows.link_known(
                self._project,
                self._run.id,
                ((number, one.positions, key) for key, one in wanted.items()),
            )
            self._answered |= {(number, at) for key in known for at in wanted.pop(key).positions}
            self._tell(candidate)
        if not wanted:
            return
        # By the first place of each: equal questions are asked once.
        by_place = {one.positions[0]: one for one in wanted.values()}
        limit = _LOCAL_PARALLEL if target.protocol == "local" else MOST_PARALLEL
        with connect_to(target) as connection:
            ask_all(
                connection,
                model,
                [Asked(at, one.prompt) for at, one in by_place.items()],
                self._plan.settings,
                parallel=min(parallel, limit),
                on_replies=lambda came: self._keep(number, candidate, model, by_place, came),
                cancelled=self._cancelled,
                pace=self._pace,
            )

    def _keep(
        self,
        number: int,
        candidate: RunCandidate,
        model: str,
        by_place: Mapping[int, "_Wanted"],
        came: Sequence[Came],
    ) -> None:
        now = now_ms()
        stored = []
        for each in came:
            one = by_place[each.asked.position]
            reply = StoredReply(
                one.key, prompt_hash(one.text), candidate.target, model,
                self._plan.settings.to_json(), self._project.author, now, dict(each.message),
                each.finish_reason, each.prompt_tokens, each.reply_tokens,
                round(each.seconds * 1000), each.error,
            )  # fmt: skip
            stored.append((number, one.positions, reply))
        prompts = [(reply.prompt, by_place[at[0]].text) for _, at, reply in stored]
        rows.add_replies(self._project, self._run.id, stored, prompts)
        self._answered |= {(number, at) for _, places, _ in stored for at in places}
        self._tell(candidate)

    def _tell(self, candidate: RunCandidate) -> None:
        self._progress(len(self._answered), self._total, f"Asking {candidate.name}")


@dataclass(slots=True)
class _Wanted:
    """A reply that is missing, and the places in the run that ask for it."""

    key: bytes
    text: str
    prompt: Prompt
    positions: list[int] = field(default_factory=list)


def reply_key(target: Target, model: str, prompt: bytes, settings: AskSettings) -> bytes:
    """Return what a reply is known by: where, which model, what was read, how it was drawn."""
    # This computer's own server has another port after every start.
    address = "" if target.protocol == "local" else target.url
    facts = [target.id, address, model, prompt.hex(), settings.to_json()]
    return hashlib.blake2b(canonical(facts).encode(), digest_size=16).digest()
