"""The verb about services that train: targets."""

import argparse

from curator.cli.answer import FOUND, Answer, table
from curator.cli.arguments import Options, Parser, Verbs, pairs
from curator.cli.progress import Progress


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
    from curator.tune.commands import targets_rows

    keys = targets_rows()
    rows = [
        (str(each["name"]), str(each["label"]), ", ".join(each["methods"]), str(each["key"]))
        for each in keys["targets"]
    ]
    return Answer(keys, table([("target", "what", "methods", "key"), *rows]))


def _add(options: Options, _progress: Progress) -> Answer:
    from curator.tune.commands import add_target

    keys = add_target(
        options.name,
        kind=options.kind,
        label=options.label,
        address=pairs(options.address, "--address"),
    )
    made = keys["targets"][0]
    missing = () if made["ready"] else (f"Still to fill in: {made['address']}",)
    key = f"Put its key into the environment as {made['key_env']}, or store it in the window."
    return Answer(keys, (f"{made['name']}: {made['address']}", *missing, key))


def _test(options: Options, _progress: Progress) -> Answer:
    from curator.tune.commands import probe_row

    keys = probe_row(options.name)
    found = keys["capabilities"]
    return Answer(keys, tuple(found["sentences"]), 0 if found["works"] else FOUND)
