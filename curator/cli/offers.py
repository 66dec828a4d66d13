"""The verb about base models and checkpoints: models."""

import argparse
import math
from collections.abc import Mapping
from typing import Final

from curator.cli.answer import Answer, table
from curator.cli.arguments import Options, Parser, Verbs
from curator.cli.progress import Progress
from curator.dataset.invocation import command
from curator.dataset.json_values import Json

_HERE: Final = "this-computer"
_STEP: Final = ":ckpt-step-"
"""What stands between the name of a job's model and the step of an earlier checkpoint."""


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
    return Answer(keys, (*_lines(keys["models"]), *(f"! {one}" for one in keys["unreadable"])))


def _lines(rows: list[Mapping[str, Json]]) -> tuple[str, ...]:
    """Lay the models out; the checkpoints of one job stand in one line, its end or latest step named."""
    jobs: dict[str, list[Mapping[str, Json]]] = {}
    for row in rows:
        jobs.setdefault(str(row["id"]).partition(_STEP)[0], []).append(row)
    title = ("name", "kind", "base", "size", "until", "earlier steps")
    return table([title, *(_line(name, group) for name, group in jobs.items())])


def _line(name: str, group: list[Mapping[str, Json]]) -> tuple[str, ...]:
    by_step = sorted(group, key=lambda row: _step(str(row["id"])))
    last = next((row for row in group if row["id"] == name), by_step[-1])
    steps = [f"{_step(str(row['id'])):.0f}" for row in by_step if row is not last]
    more = f"{_STEP}{{{','.join(_ends_of(steps))}}}" if steps else ""
    return (
        str(last["id"]),
        str(last["kind"]),
        str(last["base"] or ""),
        _size(sum(row["size"] or 0 for row in group)),
        _until(last),
        more,
    )


def _until(row: Mapping[str, Json]) -> str:
    """Return the last days of a model, as far as they are known: one date, or those a service keeps."""
    words = (("retires", "retires"), ("trains", "trained until"), ("serves", "answers until"))
    dates = [f"{word} {row[name]}" for name, word in words if row.get(name)]
    return ", ".join(dates) or str(row["shutdown_date"] or "")


def _step(name: str) -> float:
    found = name.partition(_STEP)[2]
    return float(found) if found.isdigit() else math.inf


def _ends_of(steps: list[str]) -> list[str]:
    """Return the first and last of many steps."""
    return steps if len(steps) <= 6 else [*steps[:3], "...", *steps[-2:]]


def _size(size: Json) -> str:
    return f"{size / 1e6:,.1f} MB" if isinstance(size, int) and size else ""


def _add(options: Options, progress: Progress) -> Answer:
    from curator.tune.local.bases.adding import add
    from curator.tune.offers import models_rows

    base = add(
        options.source,
        progress,
        progress.cancelled,
        name=options.name,
        revision=options.revision,
    )
    rows = [row for row in models_rows(_HERE)["models"] if row["id"] == base.name]
    start = command("train", "P", "--target", _HERE, "--base", base.name)
    return Answer({"models": rows}, (*_lines(rows), f"Start from it with: {start}"))


def _remove(options: Options, _progress: Progress) -> Answer:
    from curator.tune.local.bases.adding import remove
    from curator.tune.offers import models_rows

    base = remove(options.name)
    keys = {"removed": base.name, **models_rows(_HERE)}
    return Answer(keys, (f"{base.name} was removed.",))
