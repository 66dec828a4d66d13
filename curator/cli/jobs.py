"""The verb about jobs that were started: jobs."""

import argparse
from typing import Final

from curator.cli.answer import Answer, table
from curator.cli.arguments import Options, Parser, Verbs
from curator.cli.progress import Progress
from curator.cli.training import outcome
from curator.dataset.errors import CuratorError

_ORDERS: Final = ("pause", "resume", "cancel")


def add_verbs(verbs: Verbs) -> None:
    """Add the verb and its parts."""
    parser = verbs.add(
        "jobs",
        _list,
        "List, show, follow, pause, resume or cancel the jobs started from this computer.",
        "curator jobs list --json",
        "curator jobs follow ftjob-abc",
        "curator jobs cancel ftjob-abc",
    )
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    listing = parts.add_parser("list", help="list every job; no server is asked")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    _add(parts, "show", "look at a job once, with its events")
    _add(parts, "follow", "wait until a job ends")
    for what in _ORDERS:
        _add(parts, what, f"{what} a job at its server")


def _add(parts: "argparse._SubParsersAction[Parser]", name: str, about: str) -> None:
    part = parts.add_parser(name, help=about)
    part.add_argument("job", metavar="JOB", help="the id, as jobs list shows it")
    part.add_argument("--json", action="store_true", help="print one JSON object")
    part.set_defaults(run={"show": _show, "follow": _follow}.get(name, _order))


def _list(_options: Options, _progress: Progress) -> Answer:
    from curator.tune.commands import jobs_rows

    keys = jobs_rows()
    return Answer(keys, _lines(keys["jobs"]) or ("No job was started from this computer yet.",))


def _lines(jobs: list[dict[str, object]]) -> tuple[str, ...]:
    rows = [
        (str(each["job"]), str(each["target"]), str(each["base"]), str(each["status"]))
        for each in jobs
    ]
    return table(rows)


def _show(options: Options, _progress: Progress) -> Answer:
    from curator.tune.commands import show_job

    try:
        return outcome(show_job(options.job))
    except CuratorError as error:
        # What is known here is worth showing although its server does not answer.
        known = show_job(options.job, ask=False)
        answer = outcome(known)
        return Answer(known, (*answer.lines, f"! {error}"), answer.code)


def _follow(options: Options, progress: Progress) -> Answer:
    from curator.tune.commands import follow_job

    return outcome(follow_job(options.job, progress=progress, cancelled=progress.cancelled))


def _order(options: Options, _progress: Progress) -> Answer:
    from curator.tune.commands import order_job

    keys = order_job(options.job, options.part)
    return Answer(keys, _lines(keys["jobs"]))
