"""The verb that finds labels which look wrong: suspects."""

from pathlib import Path

from curator.cli.answer import Answer, table
from curator.cli.arguments import Options, Verbs, add_project, open_current, whole
from curator.cli.damage import naming_damaged
from curator.cli.progress import Progress
from curator.cli.selection import add_selection, select
from curator.dataset.counted import counted
from curator.dataset.errors import WrongUse
from curator.dataset.json_values import Json

_LISTED = 1_000
_SHOWN = 20


def add_verbs(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add(
        "suspects",
        _suspects,
        "List the labels that disagree with those of similar conversations, most suspect first.",
        "curator suspects x.curator --set intent",
        "curator suspects x.curator --set intent --where status:accepted --out suspects.tsv",
    )
    add_project(parser)
    parser.add_argument("--set", required=True, dest="label_set", metavar="SET", help="a label set")
    parser.add_argument(
        "--out", metavar="OUT.tsv", help="write every labelled conversation with its score there"
    )
    parser.add_argument(
        "--limit",
        type=whole(0),
        default=_LISTED,
        metavar="N",
        help=f"list this many at most ({_LISTED:,})",
    )
    add_selection(parser)


def _suspects(options: Options, progress: Progress) -> Answer:
    from curator.project.suspects import suspects, write_suspects

    with open_current(options.project, progress, read_only=True) as project:
        found = suspects(
            project,
            options.label_set,
            select(project, options, progress),
            project.author,
            progress=progress,
            cancelled=progress.cancelled,
        )
    if options.out:
        try:
            write_suspects(found, Path(options.out))
        except OSError as error:
            raise WrongUse(f"{options.out} cannot be written: {error.strerror}.") from error
    listed = found.disagreeing[: options.limit]
    keys: dict[str, Json] = {
        "items": len(found.rows),
        "set": found.label_set,
        "classes": found.classes,
        "disagreeing": len(found.disagreeing),
        "agreeing": round(found.agreeing, 4),
        "suspects": [row._asdict() for row in listed],
    }
    lines = (
        f"{counted(len(found.rows), 'labelled conversation')}, {counted(found.classes, 'label')}; for "
        f"{len(found.disagreeing):,} another label fits better:",
        *table(
            [
                (
                    f"conversation {row.conversation}",
                    row.given,
                    f"-> {row.suggested}",
                    f"{row.score:.2f}",
                )
                for row in listed[:_SHOWN]
            ]
        ),
    )
    more = len(found.disagreeing) - len(listed[:_SHOWN])
    rest = (f"and {more:,} more; --out writes all of them.",) if more > 0 else ()
    doubt = (
        f"! Similar questions have the same label in only {found.agreeing:.0%}: most of these will be "
        "right as they are.",
    )
    doubts = doubt if found.is_doubtful else ()
    return naming_damaged(Answer(keys, (*lines, *rest, *doubts)), project.damaged)
