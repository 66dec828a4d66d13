"""The verb that trains variants of data and settings and says what mattered: ablate."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.cli.answer import FOUND, Answer, notice, pasteable, table
from curator.cli.arguments import Options, Verbs, add_project, open_current
from curator.cli.progress import Progress
from curator.dataset.errors import Cancelled, GateFailed, WrongUse
from curator.dataset.invocation import command
from curator.project.store.project import Project

if TYPE_CHECKING:
    from curator.tune.ablations.plan import Plan
    from curator.tune.ablations.queue import Study
    from curator.tune.ablations.results import Found

_PLAN = """
a plan, plan.json:
  { "target": "this-computer", "base": "practice",
    "settings": {"n_epochs": 2}, "seeds": [7], "budget": {"tokens": 2000000},
    "variants": [
      {"name": "all"},
      {"name": "no fraud", "without": "label:intent=fraud"},
      {"name": "control", "same_size_as": "no fraud"},
      {"name": "no system prompts", "system_prompts": false},
      {"name": "curve", "share": [10, 25, 50, 75, 100]},
      {"name": "rank", "settings": {"method": "lora", "rank": [4, 16]}} ] }
beside them: where, skip_errors, split, set, score, metric, limit, max_tokens, method.
"""


def add_verbs(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add(
        "ablate",
        _ablate,
        "Train variants of data and settings, ask all the same questions, and say what mattered.",
        "curator ablate x.curator --plan plan.json --dry-run",
        "curator ablate x.curator --plan plan.json",
    )
    parser.epilog = f"{parser.epilog}\n{_PLAN}"
    add_project(parser)
    parser.add_argument("--plan", required=True, metavar="FILE", help="what to try, JSON")
    parser.add_argument("--dry-run", action="store_true", help="only say what it would take")
    parser.add_argument("--yes", action="store_true", help="start though it costs money")


def _ablate(options: Options, progress: Progress) -> Answer:
    from curator.tune.ablations.plan import read_plan
    from curator.tune.ablations.queue import prepare, told
    from curator.tune.ablations.results import check_questions

    plan, variants = read_plan(Path(options.plan))
    with open_current(options.project, progress) as project:
        study = prepare(project, plan, variants, progress, progress.cancelled)
        questions, metric = check_questions(project, plan, study.asked, progress.cancelled)
        keys = {
            "project": options.project,
            "metric": metric,
            "questions": questions,
            "left_out": dict(study.left_out),
        }
        lines = tuple(map(pasteable, told(study, questions)))
        if options.dry_run:
            faulty = any(each.dry.errors for each in study.missing)
            planned = [_planned_row(study, each.name) for each in variants]
            keys |= {"estimate": study.estimate(), "variants": planned}
            return Answer(keys, lines, FOUND if faulty else 0)
        if study.is_charged and not options.yes:
            again = command("ablate", options.project, "--plan", options.plan, "--yes")
            raise WrongUse(f"{'. '.join(lines)}. It costs money; to start: {again}")
        for line in lines:
            notice(line)
        found = _run(project, study, metric, options, progress)
        return _answer(keys | {"estimate": study.estimate()}, plan, found)


def _planned_row(study: "Study", name: str) -> dict[str, Any]:
    mine = [each for each in study.jobs if each.variant.name == name]
    first = mine[0]
    return {
        "name": name,
        "settings": dict(first.variant.settings),
        "rows": first.rows,
        "tokens": first.dry.billed_tokens,
        "share": first.variant.share,
        "job": first.job.job if first.job else None,
        "same_as": first.twin or None,
        "over_budget": any(each.over for each in mine),
        "warnings": [*first.dry.errors, *first.dry.warnings],
    }


def _run(
    project: Project, study: "Study", metric: str, options: Options, progress: Progress
) -> "Found":
    from curator.tune.ablations.queue import train_all
    from curator.tune.ablations.results import ask_all, read_found

    try:
        trained = train_all(study, project, progress, progress.cancelled)
        run, trained = ask_all(project, study, trained, progress, progress.cancelled)
    except Cancelled as error:
        again = command("ablate", options.project, "--plan", options.plan)
        raise Cancelled(f"{error} What is done is kept. To go on: {again}") from None
    if run is None:
        why = "; ".join(f"{each.planned.variant.name}: {each.reason}" for each in trained)
        raise GateFailed(f"No variant has a result. {why}")
    return read_found(project, study, trained, run, metric)


def _answer(keys: dict[str, Any], plan: "Plan", found: "Found") -> Answer:
    from curator.tune.ablations.results import plotted

    rows, curve = found.rows(), found.curve()
    assert found.results is not None
    run = f"{found.project}#{found.results.run.token}"
    keys |= {
        "run": run,
        "questions": len(found.results.items),
        "seeds": plan.seeds,
        "variants": rows,
        "curve": curve,
        "sentence": found.sentence(),
        "failed": [
            {"name": e.planned.variant.name, "seed": e.planned.seed, "reason": e.reason}
            for e in found.failed
        ],
    }
    lines = [*table(_table(rows, found.metric)), *plotted(curve)]
    lines += [row["comparison"]["sentence"] for row in rows if row["comparison"]]
    lines += [
        pasteable(f"! {each['name']} has no result: {each['reason']}") for each in keys["failed"]
    ]
    lines += [found.sentence(), f"Replies and all figures: run {found.results.run.token}"]
    return Answer(keys, tuple(lines), FOUND if found.failed else 0)


def _table(rows: list[dict[str, Any]], metric: str) -> list[tuple[str, ...]]:
    header = ("variant", "rows", metric.replace("_", " "), "from", "to", "difference")
    return [header, *(_cells(row, metric) for row in rows)]


def _cells(row: dict[str, Any], metric: str) -> tuple[str, ...]:
    start = (str(row["name"]), f"{row['rows']:,}")
    if row["low"] is None:
        return (*start, "-", "-", "-", "no result")
    against = row["comparison"]
    difference = f"{against['difference']:+.1%}" if against else ""
    if against and against["more_than_chance"]:
        difference += ", more than chance"
    figures = (row["metrics"][metric], row["low"], row["high"])
    return (*start, *(f"{each:.1%}" for each in figures), difference)
