"""The verbs that look for faults, apply fixes and count tokens: check, fix and count."""

from collections.abc import Sequence
from pathlib import Path

from curator.cli import counting
from curator.cli.answer import FOUND, Answer, table
from curator.cli.arguments import (
    Options,
    Verbs,
    add_project,
    is_project,
    names,
    open_current,
    open_project,
    whole,
)
from curator.cli.damage import naming_damaged
from curator.cli.progress import Progress
from curator.cli.rows import numbered_texts
from curator.dataset import Finding
from curator.dataset.counted import counted
from curator.dataset.errors import WrongUse
from curator.dataset.json_values import Json

_SHOWN = 20


def add_verbs(verbs: Verbs) -> None:
    """Add the three verbs."""
    check = verbs.add(
        "check",
        _check,
        "List what is wrong, by rule and by target; exit code 1 says that there are errors. A FILE is "
        "read as strictly as a service reads it; import is more lenient.",
        "curator check x.curator",
        "curator check chats.jsonl --target openai,nebius --json",
        "curator check x.curator --rules P01,D06 --limit 50",
    )
    add_project(check, or_file=True)
    check.add_argument("--target", type=names, default=(), metavar="NAME,...")
    check.add_argument("--rules", type=names, default=(), metavar="ID,...", help="these rules only")
    check.add_argument("--strict", action="store_true", help="exit 1 for warnings too")
    check.add_argument(
        "--base", default="", metavar="NAME", help="whose limit counts; without it the project's"
    )
    check.add_argument(
        "--limit", type=whole(0), default=1000, metavar="N", help="findings told (1000)"
    )
    fix = verbs.add(
        "fix",
        _fix,
        "Apply every safe fix, as one step that undo takes back.",
        "curator fix x.curator --safe --dry-run",
        "curator fix x.curator --safe --rules S05,S11",
    )
    add_project(fix)
    fix.add_argument("--safe", action="store_true", help="safe fixes only (there are no others)")
    fix.add_argument("--rules", type=names, default=(), metavar="ID,...", help="these rules only")
    fix.add_argument("--dry-run", action="store_true", help="count, but change nothing")
    counting.add_verb(verbs)


def _check(options: Options, progress: Progress) -> Answer:
    from curator.project.checking import check_file, check_project, profiles_named
    from curator.project.imports.file_form import BareFile

    targets = profiles_named(options.target, _own_targets())
    more = _of_own_base(options, progress)
    if is_project(options.input):
        with open_current(options.input, progress, or_read=True) as project:
            report = check_project(
                project,
                targets,
                options.rules,
                more=more,
                limit=options.limit,
                progress=progress,
                cancelled=progress.cancelled,
            )
    else:
        report = check_file(
            BareFile(Path(options.input)),
            targets,
            options.rules,
            **({"base_model": options.base} if options.base else {}),
            more=more,
            limit=options.limit,
            progress=progress,
            cancelled=progress.cancelled,
        )
    keys = report.to_json()
    found = report.has_errors or (options.strict and report.has_warnings)
    answer = Answer(keys, _lines(keys), FOUND if found else 0)
    return naming_damaged(answer, keys["damaged"])


def _of_own_base(options: Options, progress: Progress) -> dict[int, Sequence[Finding]] | None:
    """Return what a base of this computer finds, by conversation or line; None for other bases."""
    from curator.tune.jobs.base_counts import own_count

    own = own_count(options.base or counting.base_of(options.input))
    if own is None and options.base and is_project(options.input):
        raise WrongUse(
            f"A project is checked for its own base model; --base takes a base of this computer here, "
            f"and {options.base} is none."
        )
    if own is None:
        return None
    found: dict[int, Sequence[Finding]] = {}
    with numbered_texts(options.input) as texts:
        counts = own.counted(texts.rows, progress.cancelled)
        for done, ((id_, line, _), row) in enumerate(counts, 1):
            if findings := own.findings(row):
                found[id_ or line or 0] = findings
            progress(done, texts.total, "Counting")
    return found


def _own_targets() -> dict[str, str]:
    """Return the rules profiles of the targets that this person set up."""
    from curator.tune.targets.profiles import load_targets

    return {name: target.rules_profile for name, target in load_targets().items()}


_HEAD = (
    *("target", "errors", "warnings"),
    *("conversations with errors", "with warnings of their own"),
)


def _lines(keys: dict[str, Json]) -> tuple[str, ...]:
    from curator.dataset.rule import load_rules

    rules = load_rules()
    targets = [
        (
            *(name, f"{t['errors']:,}", f"{t['warnings']:,}"),
            *(f"{t['conversations_with_errors']:,}", f"{t['conversations_with_warnings']:,}"),
        )
        for name, t in keys["targets"].items()
    ]
    found = [
        (rule, count["severity"], f"{count['count']:,}", rules[rule].title)
        for rule, count in keys["rules"].items()
    ]
    shown = [
        f"{_place(each, keys['unit'])}: {each['rule']} {each['message']}"
        for each in keys["findings"][:_SHOWN]
    ]
    more = len(keys["findings"]) - len(shown)
    return (
        counted(keys["conversations"], "conversation"),
        *table([_HEAD, *targets]),
        *(table([("rule", "severity", "count", "what"), *found]) if found else ()),
        *shown,
        *((f"... and {more:,} more (--json tells all)",) if more > 0 else ()),
    )


def _place(finding: dict[str, Json], unit: str) -> str:
    where, number = finding["conversation"], finding["source_line"]
    name = f"conversation {where}" if where else f"{unit} {number}" if number else "the whole"
    return f"{name}, message {finding['turn']}" if finding["turn"] else name


def _fix(options: Options, progress: Progress) -> Answer:
    from curator.project.checking import check_rules
    from curator.project.fixing import fix_project

    check_rules(options.rules)
    if not options.safe:
        raise WrongUse(
            "Only safe fixes can run in bulk: say --safe. The others wait in the window."
        )
    with open_project(options.project, read_only=options.dry_run) as project:
        edits, report = fix_project(
            project,
            options.rules,
            author=str(project.author),
            dry_run=options.dry_run,
            progress=progress,
            cancelled=progress.cancelled,
        )
        for edit in edits:
            project.apply(edit)
    keys = report.to_json()
    did = "would be fixed" if options.dry_run else "fixed"
    rows = [(rule, f"{count:,}") for rule, count in keys["fixed"].items()]
    did = f"{counted(keys['conversations'], 'conversation')} {did}"
    return naming_damaged(Answer(keys, (did, *table(rows))), project.damaged)
