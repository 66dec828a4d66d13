"""The verb about tuning without weights: prompts."""

from pathlib import Path

from curator.cli.answer import Answer, table
from curator.cli.arguments import LARGEST_SEED, Options, Verbs, whole
from curator.cli.progress import Progress
from curator.dataset.counted import counted
from curator.dataset.errors import UnreadableInput
from curator.dataset.json_values import Json
from curator.dataset.regular_files import read_regular


def add_verbs(verbs: Verbs) -> None:
    """Add the verb and its parts."""
    parser = verbs.add(
        "prompts",
        _list,
        "Prompt variants: a base model with a system prompt or demonstrations, to compare with tuning.",
        "curator prompts add brief --target openai --base gpt-4.1-mini --system 'Answer in one line.'",
        "curator prompts add few --target this-computer --base practice --shots 4 --from out",
        'curator ask --target this-computer --candidate prompt:few "Where is my card?"',
    )
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    listing = parts.add_parser("list", help="list the variants there are")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    add = parts.add_parser("add", help="keep a variant under a name")
    add.add_argument("name", metavar="NAME", help="asked as prompt:NAME")
    add.add_argument("--target", required=True, metavar="NAME", help="see: curator targets list")
    add.add_argument("--base", required=True, metavar="NAME", help="the base model")
    add.add_argument("--system", default="", metavar="TEXT", help="a system prompt")
    add.add_argument("--system-file", default="", metavar="FILE", help="the same, from a file")
    add.add_argument(
        "--shots", type=whole(0, 1_000), default=0, metavar="N", help="how many demonstrations"
    )
    add.add_argument("--from", default="", dest="export", metavar="DIR", help="an export's folder")
    add.add_argument(
        "--pick", default="fixed", help="fixed: the same for all; nearest: by the question's words"
    )
    add.add_argument(
        "--seed", type=whole(0, LARGEST_SEED), default=7, help="which demonstrations are drawn"
    )
    add.add_argument("--json", action="store_true", help="print one JSON object")
    add.set_defaults(run=_add)
    remove = parts.add_parser("remove", help="remove a variant")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--json", action="store_true", help="print one JSON object")
    remove.set_defaults(run=_remove)


def _list(_options: Options, _progress: Progress) -> Answer:
    from curator.tune.evaluation.prompt_variants import PREFIX, broken_variants, load_variants

    found: list[Json] = [
        {
            "name": one.name,
            "candidate": PREFIX + one.name,
            "target": one.target,
            "base": one.base,
            "system": one.system,
            "shots": one.shots,
            "pick": one.pick,
            "snapshot": one.snapshot or None,
        }
        for one in load_variants()
    ]
    rows = [
        (
            f"prompt:{one['name']}",
            str(one["target"]),
            str(one["base"]),
            counted(one["shots"], "shot"),
        )
        for one in found
    ]
    broken = [str(fault) for fault in broken_variants()]
    lines = table(rows) or ("There is no prompt variant yet.",)
    return Answer(
        {"prompts": found, "unreadable": broken}, (*lines, *(f"! {one}" for one in broken))
    )


def _add(options: Options, progress: Progress) -> Answer:
    from curator.tune.evaluation.prompt_variants import make_variant, save_variant

    system = options.system
    if options.system_file:
        path = Path(options.system_file)
        try:
            system = read_regular(path).decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise UnreadableInput(f"{path} cannot be read: {error}.", path) from error
    variant = make_variant(
        options.name,
        options.target,
        options.base,
        system=system,
        shots=options.shots,
        pick=options.pick,
        export=Path(options.export) if options.export else None,
        seed=options.seed,
    )
    save_variant(variant)
    return _list(options, progress)


def _remove(options: Options, progress: Progress) -> Answer:
    from curator.tune.evaluation.prompt_variants import remove_variant

    remove_variant(options.name)
    return _list(options, progress)
