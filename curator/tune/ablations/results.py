"""What an ablation found: every variant on the same questions, against the first, and the learning curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from curator.dataset.counted import counted
from curator.dataset.errors import TargetError, WrongUse
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.project.store import evaluation_rows as rows
from curator.project.store.evaluation_rows import StoredRun
from curator.project.store.project import Project
from curator.tune.ablations.plan import Plan, Variant
from curator.tune.ablations.queue import Study, Trained, label_of
from curator.tune.evaluation.asking import AskSettings
from curator.tune.evaluation.candidates import RunCandidate
from curator.tune.evaluation.intervals import Interval, interval_of
from curator.tune.evaluation.preparing import Request, planned
from curator.tune.evaluation.results import Results, Scoring, read_results
from curator.tune.evaluation.runs import RunPlan, ask_run, find_equal, start_run
from curator.tune.evaluation.scores import FIGURES
from curator.tune.evaluation.text_scores import ITEM_SCORES

_ACCURACY: Final = "accuracy"
_TEXT_METRIC: Final = "token_f1"
_WIDTH: Final = 40


def request_of(plan: Plan, candidates: tuple[RunCandidate, ...]) -> Request:
    """Return what is asked of candidates: temperature 0, the first seed."""
    settings = AskSettings(0.0, plan.seeds[0], plan.max_tokens)
    return Request(
        candidates,
        plan.split,
        plan.where,
        tuple(plan.score),
        plan.label_set,
        settings,
        plan.limit,
    )


def check_questions(
    project: Project, plan: Plan, asked: Sequence[int], cancelled: CancelledCall
) -> tuple[int, str]:
    """Return how many questions there are and the figure that is compared, before anything is trained.

    Raises WrongUse where there is nothing to ask, or the replies cannot be scored so.
    """
    nobody = (RunCandidate("base", plan.target, plan.base),)
    run, items = planned(project, asked, request_of(plan, nobody), cancelled=cancelled)
    if not items:
        why = "; ".join(f"{count:,}: {reason}" for reason, count in run.left_out.items())
        raise WrongUse(f"There is nothing to ask in the {plan.split} part ({why}).")
    return len(items), metric_of(plan, run)


def metric_of(plan: Plan, run: RunPlan) -> str:
    """Return the figure that is compared: the plan's, or right answers, or for texts token F1."""
    scoring = Scoring.from_json(run.scoring)
    # Matthews' coefficient is no share, so it has no place in a table of per cents.
    of_labels = tuple(name for name in FIGURES if name != "mcc")
    known = of_labels if scoring.reading else (_ACCURACY, *(ITEM_SCORES if scoring.texts else ()))
    if plan.metric and plan.metric not in known:
        raise WrongUse(f'There is no figure "{plan.metric}" here; choose of {", ".join(known)}.')
    return plan.metric or (_TEXT_METRIC if _TEXT_METRIC in known else _ACCURACY)


def ask_all(
    project: Project,
    study: Study,
    trained: Sequence[Trained],
    progress: ProgressCall,
    cancelled: CancelledCall,
) -> tuple[StoredRun | None, tuple[Trained, ...]]:
    """Ask every checkpoint the questions; returns the run and how each job ended after all.

    One that cannot be asked is named, and the others are asked in a run without it. Replies that are
    stored are not asked for again. Raises Cancelled.
    """
    ended = list(trained)
    while there := [each for each in ended if each.checkpoint and not each.reason]:
        candidates = tuple(
            RunCandidate(_name(study, each), study.plan.target, each.checkpoint) for each in there
        )
        request = request_of(study.plan, candidates)
        plan, items = planned(project, study.asked, request, cancelled=cancelled)
        run = find_equal(project, plan, items) or start_run(project, plan, items)
        if run.state == rows.DONE:
            return run, tuple(ended)
        try:
            return ask_run(project, run, progress=progress, cancelled=cancelled), tuple(ended)
        except TargetError as error:
            failed = there[_lacking(project, run, len(there))]
            said = f"Its checkpoint could not be asked. {error}"
            ended[ended.index(failed)] = Trained(
                failed.planned, failed.job, failed.checkpoint, said
            )
    return None, tuple(ended)


def _lacking(project: Project, run: StoredRun, candidates: int) -> int:
    """Return the first candidate of a run that has not answered all: they are asked in their order."""
    answered = rows.answered(project, run.id)
    whole = rows.item_count(project, run.id)
    counts = [sum(number == at for number, _ in answered) for at in range(candidates)]
    return next((at for at, count in enumerate(counts) if count < whole), candidates - 1)


def _name(study: Study, each: Trained) -> str:
    return label_of(study.plan, each.planned.variant.name, each.planned.seed)


@dataclass(frozen=True)
class Found:
    """The table of a study: each variant's figures over its seeds, and its difference to the first."""

    study: Study
    trained: tuple[Trained, ...]
    results: Results | None
    metric: str
    project: str

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        """The candidates of each variant, one for each seed that has replies."""
        places: dict[str, list[int]] = {}
        if self.results is not None:
            names = [each.name for each in self.results.candidates]
            for each in self.trained:
                if not each.reason:
                    at = names.index(_name(self.study, each))
                    places.setdefault(each.planned.variant.name, []).append(at)
        return places

    @property
    def first(self) -> str:
        """The variant the others are compared with: the first that has replies, empty without any."""
        return next(iter(self._places), "")

    @property
    def failed(self) -> tuple[Trained, ...]:
        """The jobs without a result."""
        return tuple(each for each in self.trained if each.reason)

    def rows(self) -> list[dict[str, Any]]:
        """Return the keys of every variant, in the order of the plan."""
        return [self._row(variant) for variant in self.study.variants]

    def _row(self, variant: Variant) -> dict[str, Any]:
        mine = [each for each in self.trained if each.planned.variant == variant]
        within, places = self._interval(variant.name), self._places.get(variant.name, [])
        row: dict[str, Any] = {
            "name": variant.name,
            "settings": dict(variant.settings),
            "metrics": self._metrics(places),
            "low": within.low if within else None,
            "high": within.high if within else None,
            "job": mine[0].job or None,
            "jobs": [each.job for each in mine if each.job],
            "checkpoints": [each.checkpoint for each in mine if each.checkpoint],
            "status": "done" if places and not any(e.reason for e in mine) else "failed",
            "reason": next((each.reason for each in mine if each.reason), None),
            "rows": mine[0].planned.rows,
            "share": variant.share,
            "seeds": [each.planned.seed for each in mine if not each.reason],
            "comparison": None,
        }
        if places and variant.name != self.first:
            row["comparison"] = self._compared(variant.name)
        return row

    def _metrics(self, places: Sequence[int]) -> dict[str, float]:
        """Return the mean of each figure over the seeds."""
        if self.results is None or not places:
            return {}
        each = [self.results.candidates[at].figures for at in places]
        return {name: float(np.mean([f[name] for f in each])) for name in each[0]}

    def _resampled(self, name: str) -> Any:
        assert self.results is not None
        return np.mean(
            [self.results.resampled[at][self.metric] for at in self._places[name]], axis=0
        )

    def _interval(self, name: str) -> Interval | None:
        places = self._places.get(name)
        if self.results is None or not places:
            return None
        if len(places) == 1:
            return self.results.intervals(places[0])[self.metric]
        return interval_of(self._resampled(name))

    def _compared(self, name: str) -> dict[str, Any]:
        """Return a variant against the first, on the same questions.

        With one seed and right answers that is McNemar's test; otherwise chance is ruled out where the
        paired interval of the difference leaves out zero.
        """
        assert self.results is not None
        mine, first = self._places[name], self._places[self.first]
        if len(mine) == len(first) == 1 and self.metric == _ACCURACY:
            return {**self.results.compare(first[0], mine[0]).to_row(), "metric": self.metric}
        difference = self._metrics(mine)[self.metric] - self._metrics(first)[self.metric]
        within = interval_of(self._resampled(name) - self._resampled(self.first))
        more = within.low > 0 or within.high < 0
        chance = "more than chance" if more else "no more than chance can do"
        return {
            "a": self.first,
            "b": name,
            "metric": self.metric,
            "items": len(self.results.items),
            "difference": difference,
            "low": within.low,
            "high": within.high,
            "p": None,
            "more_than_chance": more,
            "sentence": f"{name} against {self.first}: {difference:+.1%} {_said(self.metric)} "
            f"({within.low:+.1%} to {within.high:+.1%}): {chance}.",
        }

    def curve(self) -> list[dict[str, Any]]:
        """Return the points of the learning curves, by their share; empty where there is none."""
        points = []
        for variant in self.study.variants:
            peers = [v for v in self.study.variants if v.group == variant.group]
            within = self._interval(variant.name)
            if variant.share is None or len({v.share for v in peers}) < 2 or within is None:
                continue
            points.append(
                {
                    "curve": variant.group,
                    "name": variant.name,
                    "share": variant.share,
                    "rows": next(
                        e.planned.rows for e in self.trained if e.planned.variant == variant
                    ),
                    "metric": self.metric,
                    "value": self._metrics(self._places[variant.name])[self.metric],
                    "low": within.low,
                    "high": within.high,
                }
            )
        return points

    def sentence(self) -> str:
        """Return in one sentence what mattered."""
        compared = [row["comparison"] for row in self.rows() if row["comparison"]]
        if not compared:
            return "There is nothing to compare: fewer than two variants have a result."
        asked = counted(compared[0]["items"], "question")
        told = [each for each in compared if each["more_than_chance"]]
        if not told:
            return (
                f"Nothing mattered by more than chance: on {asked} no variant is further from "
                f"{self.first} than chance alone can bring it."
            )
        most = max(told, key=lambda each: abs(each["difference"]))
        way = "better" if most["difference"] > 0 else "worse"
        said = (
            f"What mattered most: {most['b']} is {way} than {self.first} by "
            f"{abs(most['difference']) * 100:.1f} points of {_said(self.metric)}, more than chance"
        )
        if len(compared) > 1:
            said += f" ({counted(len(told), 'variant')} of {len(compared)} so far from it)"
        return f"{said}."


def _said(metric: str) -> str:
    return "right answers" if metric == _ACCURACY else metric.replace("_", " ")


def plotted(points: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Return learning curves as lines of text: a point is o, its interval is drawn with hyphens."""
    lines = []
    for name in dict.fromkeys(point["curve"] for point in points):
        mine = sorted((p for p in points if p["curve"] == name), key=lambda p: float(p["share"]))
        lines.append(f"{name}: {_said(mine[0]['metric'])} by rows, from 0 % to 100 %")
        width = max(len(f"{p['rows']:,}") for p in mine)
        for point in mine:
            bar = [" "] * (_WIDTH + 1)
            low, at, high = (_column(point[key]) for key in ("low", "value", "high"))
            bar[low : high + 1] = "-" * (high + 1 - low)
            bar[at] = "o"
            lines.append(
                f"{point['share']:>5g} %  {point['rows']:>{width},} |{''.join(bar)}| "
                f"{point['value']:.1%}"
            )
    return tuple(lines)


def _column(value: float) -> int:
    return round(min(1.0, max(0.0, value)) * _WIDTH)


def read_found(
    project: Project, study: Study, trained: tuple[Trained, ...], run: StoredRun | None, metric: str
) -> Found:
    """Return what a study found."""
    results = read_results(project, run) if run is not None else None
    return Found(study, trained, results, metric, str(project.path))
