"""The verb about base models and checkpoints: models."""

import argparse
from collections.abc import Mapping
from typing import Final

from curator.cli.answer import Answer, table
from curator.cli.arguments import Options, Parser, Verbs
from curator.cli.progress import Progress
from curator.dataset.json_values import Json

_HERE: Final = "this-computer"


def add_verbs(verbs: Verbs) -> None:
    """Add the verb and its parts."""
    parser = verbs.add(
        "models",
        _list,
        "List base models and checkpoints, or add a base to this computer.",
        "curator models",
        "curator models list --target openai --json",
        "curator models add ~/bases/my-base",
        "curator models add small.gguf --name small",
        "curator models add OWNER/NAME --revision main",
    )
    parser.set_defaults(target=_HERE)
    _add_parts(parser.add_subparsers(dest="part", metavar="PART"))


def _add_parts(parts: "argparse._SubParsersAction[Parser]") -> None:
    listing = parts.add_parser("list", help="list what a target can start from or ask")
    listing.add_argument(
        "--target", default=_HERE, metavar="NAME", help="see: curator targets list"
    )
    adding = parts.add_parser(
        "add", help="add a folder, a GGUF file (llama) or an id of the hub to this computer"
    )
    adding.add_argument("source", metavar="SOURCE", help="a folder, a .gguf file, or OWNER/NAME")
    adding.add_argument("--name", default="", help="how it is called here (its own name)")
    adding.add_argument("--revision", default="", help="a tag or commit of the hub (the newest)")
    removing = parts.add_parser("remove", help="remove a base that was added")
    removing.add_argument("name", metavar="NAME")
    for part, run in ((listing, _list), (adding, _add), (removing, _remove)):
        part.add_argument("--json", action="store_true", help="print one JSON object")
        part.set_defaults(run=run)


def _list(options: Options, _progress: Progress) -> Answer:
    from curator.tune.offers import models_rows

    keys = models_rows(options.target)
    return Answer(keys, _lines(keys["models"]))


def _lines(rows: list[Mapping[str, Json]]) -> tuple[str, ...]:
    title = ("name", "kind", "base", "size", "until")
    shown = [
        (
            str(row["id"]),
            str(row["kind"]),
            str(row["base"] or ""),
            _size(row["size"]),
            str(row["shutdown_date"] or ""),
        )
        for row in rows
    ]
    return table([title, *shown])


def _size(size: Json) -> str:
    return f"{size / 1e6:,.1f} MB" if isinstance(size, int) and size else ""


def _add(options: Options, progress: Progress) -> Answer:
    from curator.tune.local.adding import add
    from curator.tune.offers import models_rows

    base = add(
        options.source,
        progress,
        progress.cancelled,
        name=options.name,
        revision=options.revision,
    )
    rows = [row for row in models_rows(_HERE)["models"] if row["id"] == base.name]
    start = f"Start from it with: curator train P --target {_HERE} --base {base.name}"
    return Answer({"models": rows}, (*_lines(rows), start))


def _remove(options: Options, _progress: Progress) -> Answer:
    from curator.tune.local.adding import remove
    from curator.tune.offers import models_rows

    base = remove(options.name)
    keys = {"removed": base.name, **models_rows(_HERE)}
    return Answer(keys, (f"{base.name} was removed.",))
