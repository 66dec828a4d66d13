"""The verb about services that train: targets."""

import argparse
from typing import TYPE_CHECKING

from curator.cli.answer import FOUND, Answer, table
from curator.cli.arguments import Options, Parser, Verbs, pairs
from curator.cli.progress import Progress
from curator.dataset.json_values import Json

if TYPE_CHECKING:
    from curator.tune.targets.profiles import Target


def add_verbs(verbs: Verbs) -> None:
    """Add the verb and its parts."""
    parser = verbs.add(
        "targets",
        _list,
        "List the services that train, add one of your own, or test a connection.",
        "curator targets list",
        "curator targets add my-server --address address=http://localhost:8000/v1",
        "curator targets test openai",
    )
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    _add_parts(parts)


def _add_parts(parts: "argparse._SubParsersAction[Parser]") -> None:
    listing = parts.add_parser("list", help="list every target")
    add = parts.add_parser("add", help="add a target of your own, made from a shipped one")
    add.add_argument("name", metavar="NAME", help="small letters, digits and hyphens")
    add.add_argument("--kind", default="custom", help="the shipped target it is like (custom)")
    add.add_argument("--label", default="", help="how it is shown")
    add.add_argument(
        "--address",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="fill in a blank of the address; may be given several times",
    )
    test = parts.add_parser("test", help="ask a target three free questions; nothing is uploaded")
    test.add_argument("name", metavar="NAME")
    for part, run in ((listing, _list), (add, _add), (test, _test)):
        part.add_argument("--json", action="store_true", help="print one JSON object")
        part.set_defaults(run=run)


def _list(_options: Options, _progress: Progress) -> Answer:
    from curator.tune.targets.profiles import load_targets, unreadable_targets

    targets = [_row(target) for _, target in sorted(load_targets().items())]
    rows = [
        (str(each["name"]), str(each["label"]), ", ".join(each["methods"]), str(each["key"]))
        for each in targets
    ]
    lines = table([("target", "what", "methods", "key"), *rows])
    broken = unreadable_targets()
    keys = {"targets": targets, "unreadable": broken}
    return Answer(keys, (*lines, *(f"! {why}" for why in broken.values())))


def _row(target: "Target") -> dict[str, Json]:
    from curator.tune.targets.keys import key_place
    from curator.tune.targets.profiles import is_own

    end = target.end_of_life
    return {
        "name": target.id,
        "label": target.label,
        "address": target.url,
        "ready": target.is_complete,
        "methods": list(target.methods),
        "bases": list(target.bases),
        "key": key_place(target),
        "key_env": target.key_env,
        "own": is_own(target.id),
        "jobs_until": end.create.isoformat() if end else None,
        "served_until": end.serve.isoformat() if end else None,
        "lifetimes": [one.model_dump(mode="json") for one in target.lifetimes],
        "verified": target.verified,
        "note": target.note,
    }


def _add(options: Options, _progress: Progress) -> Answer:
    from curator.tune.targets.profiles import derive_target, save_target

    address = pairs(options.address, "--address")
    target = derive_target(options.kind, options.name, options.label, address)
    save_target(target)
    missing = () if target.is_complete else (f"Still to fill in: {target.url}",)
    key = f"Put its key into the environment as {target.key_env}, or store it in the window."
    return Answer({"targets": [_row(target)]}, (f"{target.id}: {target.url}", *missing, key))


def _test(options: Options, _progress: Progress) -> Answer:
    from curator.tune.services.client import connect
    from curator.tune.services.probing import probe
    from curator.tune.targets.profiles import find_target

    target = find_target(options.name)
    with connect(target) as connection:
        found = probe(connection).to_row()
    keys = {"targets": [_row(target)], "capabilities": found}
    return Answer(keys, tuple(found["sentences"]), 0 if found["works"] else FOUND)
