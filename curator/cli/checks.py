"""The verbs that look for faults, mend them and count tokens: check, fix and count."""

from curator.cli import counting
from curator.cli.answer import FOUND, Answer, table
from curator.cli.arguments import (
    Options,
    Verbs,
    add_project,
    is_project,
    names,
    open_project,
)
from curator.cli.progress import Progress
from curator.dataset.errors import WrongUse
from curator.dataset.json_values import Json

_SHOWN = 20


def add_verbs(verbs: Verbs) -> None:
    """Add the three verbs."""
    check = verbs.add(
        "check",
        _check,
        "List what is wrong, by rule and by target; exit code 1 says that there are errors.",
        "curator check x.curator",
        "curator check chats.jsonl --target openai,nebius --json",
        "curator check x.curator --rules P01,D06 --limit 50",
    )
    add_project(check, or_file=True)
    check.add_argument("--target", type=names, default=(), metavar="NAME,...")
    check.add_argument("--rules", type=names, default=(), metavar="ID,...", help="these rules only")
    check.add_argument("--limit", type=int, default=1000, metavar="N", help="findings told (1000)")
    fix = verbs.add(
        "fix",
        _fix,
        "Mend what has one obvious repair, as one step that undo takes back.",
        "curator fix x.curator --safe --dry-run",
        "curator fix x.curator --safe --rules S05,S11",
    )
    add_project(fix)
    fix.add_argument("--safe", action="store_true", help="safe repairs only (there are no others)")
    fix.add_argument("--rules", type=names, default=(), metavar="ID,...", help="these rules only")
    fix.add_argument("--dry-run", action="store_true", help="count, but change nothing")
    counting.add_verb(verbs)


def _check(options: Options, progress: Progress) -> Answer:
    raise WrongUse("Not in this version.")


def _fix(options: Options, progress: Progress) -> Answer:
    raise WrongUse("Not in this version.")
