"""The verbs that write training files and prove them: export and verify."""

from pathlib import Path

from curator.cli.answer import FOUND, Answer, table
from curator.cli.arguments import Options, Verbs, add_project, open_current
from curator.cli.progress import Progress
from curator.cli.selection import add_where
from curator.dataset.counted import counted
from curator.formats.registry import WRITTEN, export_name


def add_verbs(verbs: Verbs) -> None:
    """Add both verbs."""
    parser = verbs.add(
        "export",
        _export,
        "Write training files and their manifest; errors stop it, nothing partial is left.",
        "curator export x.curator out",
        "curator export x.curator out --skip-errors --where 'tag:final'",
    )
    add_project(parser)
    parser.add_argument("folder", metavar="DIR", help="a new folder, or an earlier export")
    known = ", ".join(f"{export_name(each)}: {each.title}" for each in WRITTEN)
    parser.add_argument("--format", default=export_name(WRITTEN[0]), help=known)
    add_where(parser)
    parser.add_argument(
        "--statuses",
        default="auto",
        choices=("auto", "accepted", "open"),
        help="auto: accepted, and pending too as long as nobody accepted anything",
    )
    parser.add_argument("--hold-out-flagged", action="store_true", help="leave flagged ones out")
    parser.add_argument(
        "--unassigned",
        default="auto",
        choices=("auto", "train", "leave"),
        help="what has no split: train, leave out, or train as long as nothing has one (auto)",
    )
    parser.add_argument(
        "--skip-errors", action="store_true", help="leave out what has errors and go on"
    )
    check = verbs.add(
        "verify",
        _verify,
        "Prove that an export is what its manifest says.",
        "curator verify out",
        "curator verify out --json",
    )
    check.add_argument("folder", metavar="DIR", help="the folder of an export")


def _export(options: Options, progress: Progress) -> Answer:
    from curator.project.exports.exporting import export, remember
    from curator.project.exports.selection import ExportSettings

    settings = ExportSettings(
        format=options.format,
        statuses=options.statuses,
        query=options.where,
        hold_out_flagged=options.hold_out_flagged,
        unassigned=options.unassigned,
        skip_errors=options.skip_errors,
    )
    with open_current(options.project, progress, or_read=True) as project:
        report = export(project, options.folder, settings, progress, progress.cancelled)
        if not project.read_only:
            remember(project, report)
    keys = report.to_json()
    rows = [
        (str(f["path"]), f"{f['rows']:,}", f"{f['bytes']:,}", str(f["sha256"])[:16])
        for f in keys["files"]
    ]
    left = [f"left out: {reason} {n:,}" for reason, n in report.left_out.items() if n]
    left += [
        f"not kept: {what} of {counted(n, 'conversation')}" for what, n in report.losses.items()
    ]
    return Answer(
        {**keys, "damaged": sorted(project.damaged)},
        (
            *table([("file", "rows", "bytes", "SHA-256"), *rows]),
            *left,
            *report.notes,
            f"{counted(report.warnings, 'warning')}; the manifest: {report.manifest}",
        ),
        FOUND if project.damaged else 0,
    )


def _verify(options: Options, progress: Progress) -> Answer:
    from curator.project.exports.verify import verify

    found = verify(Path(options.folder), progress, progress.cancelled)
    keys = found.to_json()
    said = (
        f"{counted(keys['files'], 'file')}, {counted(keys['rows'], 'row')}: as the manifest says.",
    )
    return Answer(
        keys, said if found.ok else tuple(map(str, keys["problems"])), 0 if found.ok else FOUND
    )
