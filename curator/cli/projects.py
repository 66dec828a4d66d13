"""The verbs that make a project and fill it: new and import."""

from pathlib import Path

from curator.cli.answer import DONE, FOUND, WRONG, Answer, failure, table
from curator.cli.arguments import Options, Verbs, add_project, open_project
from curator.cli.progress import Progress
from curator.dataset import Edit, SettingPatch
from curator.dataset.errors import ProjectError, UnreadableInput
from curator.dataset.json_values import Json
from curator.formats.registry import AUTO, FORMATS
from curator.project.store.project import Project

_SHOWN = 20


def add_verbs(verbs: Verbs) -> None:
    """Add both verbs."""
    parser = verbs.add(
        "new",
        _new,
        "Make an empty project, one file.",
        "curator new support-desk.curator",
        "curator new support-desk.curator --base gpt-4.1-mini",
    )
    add_project(parser)
    parser.add_argument(
        "--base", default="", metavar="NAME", help="count tokens for this base model"
    )
    bring = verbs.add(
        "import",
        _import,
        "Bring conversations into a project; what cannot be read is listed and kept aside.",
        "curator import x.curator chats.jsonl more.jsonl.gz",
        "curator import x.curator chats.jsonl --json",
    )
    add_project(bring)
    bring.add_argument("files", metavar="FILE", nargs="+", help="JSON or JSON Lines, also gzipped")
    known = ", ".join(each.name for each in FORMATS)
    bring.add_argument("--format", default=AUTO, help=f"auto (found out), or one of {known}")


def _new(options: Options, _progress: Progress) -> Answer:
    path = Path(options.project)
    if path.name in ("", ".."):
        raise ProjectError(f'"{options.project}" is a folder; name the project after it.', path)
    if path.suffix != ".curator":
        # The window and double clicks know a project by its ending.
        path = path.with_name(f"{path.name}.curator")
    if not path.absolute().parent.is_dir():
        raise ProjectError(f"There is no folder {path.parent} to put {path.name} into.", path)
    with Project.create(path) as project:
        if options.base:
            patch = SettingPatch("base_model", None, options.base)
            project.apply(Edit("Base model", project.author, (patch,)))
    return Answer({"project": str(path)}, (f"{path} is ready.",))


def _import(options: Options, progress: Progress) -> Answer:
    from curator.project.imports.importing import import_files

    with open_project(options.project) as project:
        report = import_files(
            project,
            [Path(name) for name in options.files],
            progress=progress,
            cancelled=progress.cancelled,
            format=options.format,
        )
    keys = report.to_json()
    code = FOUND if keys["rejected"] else DONE
    if report.unreadable:
        # The others got in, but what was asked for is not all here.
        words = " ".join(each.reason for each in report.unreadable)
        failed = failure(UnreadableInput(words, report.unreadable[0].file))
        return Answer({**keys, **failed.keys}, _lines(keys), WRONG, failed.failure)
    return Answer(keys, _lines(keys), code)


def _lines(keys: dict[str, Json]) -> tuple[str, ...]:
    rows = [
        (str(s["file"]), str(s["format"]), f"{s['imported']:,}", f"{s['rejected']:,}")
        for s in keys["sources"]
    ]
    told = [
        f"{keys['imported']:,} imported, {keys['unchanged']:,} there already, "
        f"{keys['rejected']:,} refused"
    ]
    told += [
        f"  {row['file']}:{_place(row)} {row['rule']} {row['reason']}"
        for row in keys["rejected_rows"][:_SHOWN]
    ]
    if keys["rejected"] > _SHOWN:
        told.append(f"  ... and {keys['rejected'] - _SHOWN:,} more")
    told += [f"The refused lines: {name}" for name in keys["rejects_files"]]
    told += keys["notes"]
    return (*table([("file", "format", "imported", "refused"), *rows]), *told)


def _place(row: dict[str, Json]) -> str:
    if row["unit"] == "line":
        return str(row["line"])
    return f"{row['starts']} {row['unit']} {row['line']}:"
