"""The verb about jobs that were started: jobs."""

import argparse
from pathlib import Path
from typing import Final

from curator.cli.answer import Answer, notice, table
from curator.cli.arguments import Options, Parser, Verbs
from curator.cli.job_page import outcome
from curator.cli.progress import Progress
from curator.dataset.counted import counted
from curator.dataset.errors import CuratorError

_ORDERS: Final = ("pause", "resume", "cancel")


def add_verbs(verbs: Verbs) -> None:
    """Add the verb and its parts."""
    parser = verbs.add(
        "jobs",
        _list,
        "List, show, follow, pause, resume or cancel jobs; their files, models and lineage.",
        "curator jobs list --json",
        "curator jobs follow ftjob-abc",
        "curator jobs cancel ftjob-abc",
        "curator jobs download ftjob-abc results",
        "curator jobs lineage ft:gpt-4.1-mini:desk::abc --json",
    )
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    listing = parts.add_parser("list", help="list every job; no server is asked")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    _add(parts, "show", "look at a job once, with its events")
    _add(parts, "follow", "wait until a job ends")
    for what in _ORDERS:
        _add(parts, what, f"{what} a job at its server")

    _add(
        parts, "discard", "set aside a start of which nobody knows whether its service made the job"
    )
    _add(parts, "delete-model", "delete the fine-tuned model of a job at its server")
    download = _add(parts, "download", "fetch the files a server offers: results, adapters")
    download.add_argument("folder", metavar="DIR", help="where the files go")
    _add(parts, "lineage", "show which rows and settings made a checkpoint (its name, or a job)")


def _add(parts: "argparse._SubParsersAction[Parser]", name: str, about: str) -> Parser:
    part = parts.add_parser(name, help=about)
    part.add_argument("job", metavar="JOB", help="the id, as jobs list shows it")
    part.add_argument("--json", action="store_true", help="print one JSON object")
    part.set_defaults(run=_RUNS.get(name, _order))
    return part


def _list(_options: Options, _progress: Progress) -> Answer:
    from curator.tune.commands import jobs_rows

    keys = jobs_rows()
    for broken in keys["unreadable"]:
        notice(f"! {broken}")
    none = "No other job" if keys["unreadable"] else "No job"
    return Answer(keys, _lines(keys["jobs"]) or (f"{none} was started from this computer yet.",))


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


def _discard(options: Options, _progress: Progress) -> Answer:
    from curator.tune.commands import discard_job

    keys = discard_job(options.job)
    return Answer(keys, _lines(keys["jobs"]))


def _delete_model(options: Options, _progress: Progress) -> Answer:
    from curator.tune.commands import delete_model_of

    keys = delete_model_of(options.job)
    return Answer(keys, (f"{keys['deleted']} is deleted; what is known of its job stays.",))


def _download(options: Options, progress: Progress) -> Answer:
    from curator.tune.commands import download_of

    keys = download_of(
        options.job, Path(options.folder), progress=progress, cancelled=progress.cancelled
    )
    return Answer(
        keys, tuple(f"{file['path']}  {counted(file['bytes'], 'byte')}" for file in keys["files"])
    )


def _lineage(options: Options, _progress: Progress) -> Answer:
    from curator.tune.commands import lineage_row

    keys = lineage_row(options.job)
    rows = ", ".join(f"{count:,} {split}" for split, count in keys["rows"].items())
    settings = ", ".join(f"{name}={value}" for name, value in keys["settings"].items())
    lines = [
        f"{keys['checkpoint']}",
        f"  made by {keys['job']} at {keys['target']} from {keys['base']} ({keys['method']})",
        f"  settings {settings or 'all by default'}, seed {keys['seed'] or 'the service chose'}",
        f"  rows {rows or 'not noted'} of {keys['project'] or 'no project'}",
        f"  export {keys['export']} ({'there' if keys['export_is_there'] else 'gone or made again'})",
        f"  snapshot {keys['snapshot']}",
    ]
    return Answer(keys, tuple(lines))


_RUNS: Final = {
    "show": _show,
    "follow": _follow,
    "discard": _discard,
    "delete-model": _delete_model,
    "download": _download,
    "lineage": _lineage,
}
