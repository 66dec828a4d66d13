"""The verb that finds and takes out conversations that repeat each other: dedupe."""

from pathlib import Path

from curator.cli.answer import Answer
from curator.cli.arguments import Options, Verbs, add_project, names, number, open_current
from curator.cli.damage import naming_damaged
from curator.cli.progress import Progress
from curator.dataset.counted import counted
from curator.dataset.errors import WrongUse
from curator.dataset.json_values import Json
from curator.project import duplicate_tables, duplicates
from curator.project.duplicate_search import DEFAULT_THRESHOLD, Search
from curator.project.duplicates import Duplicates
from curator.project.store import tables
from curator.project.store.project import Project

_MOST_SHOWN = 80


def add_verbs(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add(
        "dedupe",
        _dedupe,
        "Find exact copies or near-duplicates and take out all but one of each cluster.",
        "curator dedupe x.curator --preset exact",
        "curator dedupe x.curator --threshold 0.7 --dry-run --pairs pairs.tsv",
        "curator dedupe x.curator --compare prompt --keep longest",
    )
    add_project(parser)
    presets = ("exact", "near", "paraphrase", "semantic")
    parser.add_argument("--preset", choices=presets, default="near")
    parser.add_argument(
        "--threshold", type=number(0, 1), default=None, metavar="T", help="0 to 1, for near (0.8)"
    )
    parser.add_argument(
        "--compare", default="conversation", metavar="KEY", help="conversation, prompt or answer"
    )
    parser.add_argument(
        "--measure", default="w3", help="w3: three words in a row; c5: five characters in a row"
    )
    parser.add_argument(
        "--keep",
        default="accepted_first",
        metavar="RULE",
        help="accepted_first, most_labelled, longest, oldest or newest",
    )
    parser.add_argument(
        "--count",
        type=names,
        default=(),
        metavar="system,tools",
        help="compare system prompts or tool definitions too (left out by default)",
    )
    parser.add_argument(
        "--leave-out-shared",
        action="store_true",
        help="leave out any other text that more than half of the conversations share",
    )
    parser.add_argument("--pairs", metavar="OUT.tsv", help="write every pair into this file")
    parser.add_argument("--dry-run", action="store_true", help="find, but take nothing out")


def _dedupe(options: Options, progress: Progress) -> Answer:
    threshold = DEFAULT_THRESHOLD if options.threshold is None else options.threshold
    search = Search(
        options.preset,
        threshold,
        options.compare,
        options.measure,
        options.count,
        with_shared=not options.leave_out_shared,
    )
    with open_current(options.project, progress, read_only=options.dry_run) as project:
        living = len(tables.living(project))
        twice = living - len(duplicates.comparable(project))
        found = duplicates.find(project, search, progress=progress, cancelled=progress.cancelled)
        decisions = duplicates.decide(project, found, options.keep)
        edit = duplicates.removal(project, search, decisions)
        if options.pairs:
            _write_pairs(project, found, options.pairs)
        if not options.dry_run:
            duplicate_tables.keep(project, found)
            if edit is not None:
                project.apply(edit)
    removed = sum(not decision.kept for decision in decisions)
    keys: dict[str, Json] = {
        "pairs": found.matches.count(),
        "clusters": len(found.clusters()),
        "removed": removed,
        "kept": living - removed,
        "measure": search.shown_measure,
        "threshold": 1.0 if options.preset == "exact" else threshold,
        "left_out": list(search.left_out),
        "not_compared": twice,
        "shared": [{"text": e.text, "conversations": e.conversations} for e in found.shared],
    }
    did = "would be taken out" if options.dry_run else "taken out"
    lines = (
        f"{counted(keys['pairs'], 'pair')} in {counted(keys['clusters'], 'cluster')} "
        f"({keys['measure']}, threshold {keys['threshold']:g})",
        f"{removed:,} {did}, {keys['kept']:,} stay. Undo brings them back.",
        *_what_counted(search, found),
        *(
            (
                f"Not compared: {counted(twice, 'conversation')} with a key that has two values (F08).",
            )
            if twice
            else ()
        ),
    )
    return naming_damaged(Answer(keys, lines), project.damaged)


def _what_counted(search: Search, found: Duplicates) -> tuple[str, ...]:
    """Say what was not compared, and which text nearly all conversations share."""
    words = {"system": "system prompts", "tools": "tool definitions", "shared": "shared text"}
    left = [words[name] for name in search.left_out]
    out = (f"Left out of the comparison: {', '.join(left)}.",) if left else ()
    way = ("To leave such text out: --leave-out-shared",) if search.with_shared else ()
    shared = tuple(
        f'{each.conversations:,} of {counted(len(found.ids), "conversation")} share "{each.beginning(_MOST_SHOWN)}".'
        for each in found.shared
    )
    return (*out, *shared, *(way if shared else ()))


def _write_pairs(project: Project, found: Duplicates, name: str) -> None:
    try:
        duplicates.write_pairs(project, found, Path(name))
    except OSError as error:
        raise WrongUse(f"{name} cannot be written: {error.strerror}.") from error
