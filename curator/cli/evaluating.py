"""The verbs that ask candidates the test questions and compare what they said: evaluate, compare."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from curator.cli.answer import FOUND, Answer, table
from curator.cli.arguments import (
    LARGEST_SEED,
    Options,
    Parser,
    Verbs,
    add_project,
    number,
    open_current,
    open_project,
    whole,
)
from curator.cli.progress import Progress
from curator.cli.selection import add_where, matching
from curator.dataset.counted import counted
from curator.dataset.errors import Cancelled, TargetError, WrongUse
from curator.dataset.invocation import command
from curator.dataset.json_values import Json
from curator.project.store.project import Project

if TYPE_CHECKING:
    from curator.project.store.evaluation_rows import StoredRun
    from curator.tune.evaluation.gate import Gate
    from curator.tune.evaluation.results import Results

_MOST_PARALLEL: Final = 64
_FIXED: Final = ("candidate", "split", "where", "set", "limit", "fresh")
"""What a run cannot change once it has begun."""
_MOST_TOKENS: Final = 10_000_000
_MOST_ITEMS: Final = 1_000_000_000
_LISTED: Final = 5
_SHOWN: Final = 80
_MARK: Final = "#"
"""Stands between a project and one of its runs, as in x.curator#4f2a."""


def add_verbs(verbs: Verbs) -> None:
    """Add both verbs."""
    parser = verbs.add(
        "evaluate",
        _evaluate,
        "Ask candidates the test questions, score their replies and compare them.",
        "curator evaluate x.curator --split test --candidate base=this-computer/tiny "
        "--candidate tuned=this-computer/CHECKPOINT",
        "curator evaluate x.curator --candidate openai/gpt-4.1-mini --set intent --limit 100",
        "curator evaluate x.curator --resume last --report report.html",
        "curator evaluate x.curator --list",
    )
    add_project(parser)
    _add_questions(parser)
    _add_replies(parser)
    _add_gate(parser)
    compare = verbs.add(
        "compare",
        _compare,
        "Compare two evaluation runs on the questions that both asked.",
        "curator compare x.curator#4f2a x.curator#last",
        "curator compare x.curator#4f2a/base x.curator#4f2a/tuned --no-regression",
    )
    for which in ("run_a", "run_b"):
        compare.add_argument(
            which, metavar=which.upper(), help="P#RUN or P#RUN/CANDIDATE; RUN may be last"
        )
    _add_gate(compare)


def _add_questions(parser: Parser) -> None:
    parser.add_argument("--split", default="", metavar="NAME", help="train, validation or test")
    add_where(parser)
    parser.add_argument(
        "--candidate",
        action="append",
        default=[],
        metavar="NAME=TARGET/MODEL",
        help="whom to ask, several times; NAME=prompt:VARIANT for a prompt variant",
    )
    parser.add_argument("--set", default="", metavar="NAME", help="the label set with right labels")
    parser.add_argument(
        "--score",
        action="append",
        default=[],
        metavar="HOW",
        help="exact, normalised, choice[=A,B], regex=PATTERN, json=FIELD, tool, demonstrated, text, "
        "json_valid; several times",
    )
    parser.add_argument(
        "--limit", type=whole(1, _MOST_ITEMS), metavar="N", help="ask N of them, drawn by seed"
    )


def _add_replies(parser: Parser) -> None:
    parser.add_argument("--temperature", type=number(0, 2), default=0.0, metavar="N")
    parser.add_argument("--seed", type=whole(0, LARGEST_SEED), default=7, metavar="N")
    parser.add_argument("--max-tokens", type=whole(1, _MOST_TOKENS), default=512, metavar="N")
    parser.add_argument(
        "--parallel", type=whole(1, _MOST_PARALLEL), default=8, metavar="N", help="at once (8)"
    )
    parser.add_argument("--fresh", action="store_true", help="take no reply of an earlier run")
    parser.add_argument(
        "--resume", default="", metavar="RUN", help="go on with a run, or show one; last is one"
    )
    parser.add_argument("--list", action="store_true", help="list the runs of the project")


def _add_gate(parser: Parser) -> None:
    parser.add_argument("--report", default="", metavar="FILE", help="write FILE.md or FILE.html")
    parser.add_argument(
        "--fail-under",
        action="append",
        default=[],
        metavar="METRIC=X",
        help="exit 1 where a figure of a candidate (the first one apart) is lower",
    )
    parser.add_argument(
        "--no-regression",
        action="store_true",
        help="exit 1 where a candidate is worse than the first by more than chance",
    )


def _evaluate(options: Options, progress: Progress) -> Answer:
    from curator.tune.evaluation.preparing import scoring_again
    from curator.tune.evaluation.results import changed_since, read_results

    if options.list:
        with open_project(options.project, read_only=True) as project:
            return _list(project)
    gate = _gate(options)
    with open_current(options.project, progress) as project:
        run = _run(project, options, progress)
        if options.no_regression and len(run.plan["candidates"]) < 2:
            raise WrongUse("--no-regression needs a candidate to compare with: name two or more.")
        if run.state != "done":
            run = _ask(project, run, options, progress)
        scoring = None
        if options.resume and options.score:
            scoring = scoring_again(project, options.score)
        results = read_results(project, run, scoring)
        return _answer(options, results, gate, changed_since(project, results))


def _gate(options: Options) -> "Gate":
    """Return the gate, and refuse a report that cannot be written before anybody is asked."""
    from curator.tune.evaluation.gate import Gate
    from curator.tune.evaluation.report import check_report

    if options.report:
        check_report(Path(options.report))
    return Gate.parse(options.fail_under, no_regression=options.no_regression)


def _run(project: Project, options: Options, progress: Progress) -> "StoredRun":
    from curator.project.store.evaluation_rows import find_run
    from curator.tune.evaluation.asking import AskSettings
    from curator.tune.evaluation.candidates import RunCandidate
    from curator.tune.evaluation.preparing import Request, prepare, query_of

    if options.resume:
        given = [f"--{name}" for name in _FIXED if getattr(options, name)]
        if given:
            raise WrongUse(f"A run that is resumed asks what it began with; leave {given[0]} out.")
        return find_run(project, options.resume)
    split = options.split or ("" if options.where else "test")
    ids = matching(
        project,
        query_of(split, is_open="status:" in options.where or "is:" in options.where),
        progress,
    )
    if options.where:
        # By itself, so that a filter that is not understood is refused whatever stands beside it.
        within = set(matching(project, options.where, progress))
        ids = [id_ for id_ in ids if id_ in within]
    request = Request(
        tuple(RunCandidate.parse(text) for text in options.candidate),
        split,
        options.where,
        tuple(options.score),
        options.set,
        AskSettings(options.temperature, options.seed, options.max_tokens),
        options.limit,
        options.fresh,
    )
    return prepare(project, ids, request, cancelled=progress.cancelled)


def _ask(project: Project, run: "StoredRun", options: Options, progress: Progress) -> "StoredRun":
    from curator.tune.evaluation.runs import ask_run

    way_on = "To go on: " + command("evaluate", options.project, "--resume", run.token) + "."
    try:
        return ask_run(
            project,
            run,
            parallel=options.parallel,
            progress=progress,
            cancelled=progress.cancelled,
        )
    except Cancelled as error:
        raise Cancelled(f"{error} {way_on}") from None
    except TargetError as error:
        said = f"{error} What was answered so far is kept. {way_on}"
        raise TargetError(said, status=error.status, code=error.code, param=error.param) from None


def _answer(options: Options, results: "Results", gate: "Gate", changed: int) -> Answer:
    from curator.tune.evaluation.report import figure_table, write_report

    named = {each.name: results.candidate_row(at) for at, each in enumerate(results.candidates)}
    comparisons = results.comparisons()
    verdict = gate.check(named, comparisons)
    if options.report:
        write_report(results, Path(options.project).name, Path(options.report))
    rows = [each.to_row() for each in comparisons]
    plan = results.plan
    keys: dict[str, Json] = {
        "run": f"{options.project}{_MARK}{results.run.token}",
        "project": options.project,
        "state": results.run.state,
        "split": plan.split or None,
        "where": plan.where or None,
        "items": len(results.items),
        "left_out": dict(plan.left_out),
        "changed": changed,
        "settings": plan.settings.to_json(),
        "labels_read": _way(results),
        "candidates": named,
        "comparison": rows[-1] if rows else None,
        "comparisons": rows,
        "gate": verdict,
        "report": options.report or None,
    }
    header, figures = figure_table(results)
    lines = [f"{counted(len(results.items), 'question')}, run {results.run.token}"]
    lines += [f"Left out: {count:,}: {why}" for why, count in plan.left_out.items()]
    if changed:
        lines.append(f"{counted(changed, 'question')} of it changed since it was asked.")
    for each in comparisons:
        lines += filter(None, (each.sentence(), each.advice()))
    lines += table((header, *figures))
    lines += _unreadable_lines(named)
    return _gated(keys, lines, verdict, options)


def _unreadable_lines(candidates: Mapping[str, Json]) -> Iterator[str]:
    """Yield the first replies of each candidate in which no label can be read."""
    for name, row in candidates.items():
        if row["unreadable"]:
            yield f"No label is readable in what {name} says, among others:"
        for each in row["unreadable"][:_LISTED]:
            said = each["error"] or " ".join(each["reply"].split())[:_SHOWN] or "(empty)"
            yield f"  conversation {each['conversation']}, right {each['expected']}: {said}"


def _way(results: "Results") -> str | None:
    from curator.tune.evaluation.results import Scoring

    reading = Scoring.from_json(results.plan.scoring).reading
    return reading.way if reading else None


def _gated(keys: dict[str, Json], lines: list[str], verdict: Json, options: Options) -> Answer:
    if options.fail_under or options.no_regression:
        told = [str(each["sentence"]) for each in verdict["failed"]] or ["passed."]
        lines += [f"Gate: {sentence}" for sentence in told]
    if options.report:
        lines.append(f"Report: {options.report}")
    return Answer(keys, tuple(lines), 0 if verdict["passed"] else FOUND)


def _list(project: Project) -> Answer:
    from curator.project.store.evaluation_rows import item_count, reply_count, runs
    from curator.tune.evaluation.runs import RunPlan

    found: list[Json] = []
    lines = []
    for run in runs(project):
        plan = RunPlan.from_json(run.plan)
        names, items = [each.name for each in plan.candidates], item_count(project, run.id)
        found.append(
            {
                "run": f"{project.path}{_MARK}{run.token}",
                "state": run.state,
                "reason": run.reason or None,
                "author": run.author,
                "at": run.at / 1000,
                "split": plan.split or None,
                "where": plan.where or None,
                "candidates": names,
                "items": items,
                "replies": reply_count(project, run.id),
            }
        )
        asked = f"{counted(items, 'question')} to {', '.join(names)}"
        lines.append(f"{project.path}{_MARK}{run.token}  {run.state}  {asked}")
    return Answer({"runs": found}, tuple(lines) or ("There are no evaluation runs yet.",))


def _compare(options: Options, _progress: Progress) -> Answer:
    from curator.tune.evaluation.report import figure_table, write_report
    from curator.tune.evaluation.results import pair

    gate = _gate(options)
    (one, a), (other, b) = (_found(each) for each in (options.run_a, options.run_b))
    results = pair(one, a, other, b)
    named = {each.name: results.candidate_row(at) for at, each in enumerate(results.candidates)}
    (comparison,) = results.comparisons()
    verdict = gate.check(named, (comparison,))
    if options.report:
        write_report(results, options.run_b.partition(_MARK)[0], Path(options.report))
    keys: dict[str, Json] = {
        "a": options.run_a,
        "b": options.run_b,
        "items": len(results.items),
        "candidates": named,
        "comparison": comparison.to_row(),
        "gate": verdict,
        "report": options.report or None,
    }
    header, figures = figure_table(results)
    lines = [f"{counted(len(results.items), 'question')} in common"]
    lines += table((header, *figures))
    lines += filter(None, (comparison.sentence(), comparison.advice()))
    return _gated(keys, lines, verdict, options)


def _found(text: str) -> tuple["Results", int]:
    """Return the results of P#RUN/CANDIDATE and the place of the candidate, by default the last."""
    from curator.project.store.evaluation_rows import LAST, find_run
    from curator.tune.evaluation.results import read_results

    path, _, place = text.rpartition(_MARK) if _MARK in text else (text, "", LAST)
    token, _, name = place.partition("/")
    with open_project(path, read_only=True) as project:
        results = read_results(project, find_run(project, token or LAST))
    number = results.number_of(name) if name else len(results.candidates) - 1
    return results, number
