"""The verb that divides a project: split."""

from curator.cli.answer import FOUND, Answer, table
from curator.cli.arguments import (
    LARGEST_SEED,
    Options,
    Verbs,
    add_project,
    names,
    number,
    open_current,
    whole,
)
from curator.cli.progress import Progress
from curator.curate.splits import SplitPlan
from curator.dataset import Split
from curator.dataset.counted import counted
from curator.dataset.invocation import command
from curator.project import splits
from curator.project.splits import Obstacle, SplitReport

_MOST_ROWS = 10**9
"""More than a project holds."""

_REASON_TOGETHER = {
    "copies": "equal contents",
    "prompt": "equal prompts",
    "beginning": "one being the beginning of another",
    "duplicates": "near-duplicates",
    "source": "coming from one file",
}


def add_verbs(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add(
        "split",
        _split,
        "Assign train, validation and test by shares or by counts.",
        "curator split x.curator --train 0.8 --validation 0.1 --test 0.1",
        "curator split x.curator --train 0 --validation 50 --test 50   # all the rest trains",
        "curator split x.curator --stratify intent --together prompt,duplicates --seed 7",
    )
    add_project(parser)
    for name, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
        parser.add_argument(
            f"--{name}",
            type=number(0, _MOST_ROWS),
            default=share,
            metavar="R",
            help=f"share or count ({share})",
        )
    parser.add_argument("--seed", type=whole(0, LARGEST_SEED), default=0, metavar="N")
    parser.add_argument(
        "--stratify", default="", metavar="SET", help="spread this label set evenly"
    )
    parser.add_argument(
        "--together",
        type=names,
        default=("prompt",),
        metavar="prompt,duplicates,source",
        help="what stays in one split, besides copies, equal prompts and beginnings, which always do",
    )
    parser.add_argument("--fresh", action="store_true", help="assign all anew")
    parser.add_argument("--dry-run", action="store_true", help="show the numbers only")


def _split(options: Options, progress: Progress) -> Answer:
    shares = (options.train, options.validation, options.test)
    plan = SplitPlan(
        *shares,
        seed=options.seed,
        stratify=options.stratify,
        together=options.together,
        by_count=any(share > 1 for share in shares),
    )
    with open_current(options.project, progress, read_only=options.dry_run) as project:
        proposal = splits.propose(
            project, plan, fresh=options.fresh, progress=progress, cancelled=progress.cancelled
        )
        if proposal.edit is not None and not options.dry_run:
            project.apply(proposal.edit)
    obstacle = proposal.obstacle
    keys = {
        **proposal.after.to_json(),
        "moved": proposal.moved,
        "bridged": proposal.bridged,
        "obstacle": obstacle.to_json() if obstacle else None,
    }
    bad = proposal.after.straddling_groups or proposal.after.leaks
    lines = (
        *_lines(proposal.before, proposal.after),
        *(_why_not(obstacle, options.project) if obstacle else ()),
    )
    return Answer(keys, lines, FOUND if bad else 0)


def _why_not(obstacle: Obstacle, project: str) -> tuple[str, ...]:
    """Say that groups forbid the wished shares, which group is the largest, and the way out."""
    wished = ", ".join(
        f"{number:,} {name}" for number, name in zip(obstacle.wished, Split, strict=True)
    )
    some = ", ".join(map(str, obstacle.conversations[:5]))
    tied = " and ".join(_REASON_TOGETHER[kind] for kind in obstacle.tied_by)
    asked = [kind for kind in obstacle.tied_by if kind in ("duplicates", "source")]
    way = (
        f"Leave {' and '.join(asked)} out of --together, or"
        if asked
        else f"Take out repeats ({command('dedupe', project)}), or"
    )
    return (
        f"The groups do not allow the shares you asked for ({wished}).",
        f"The largest group has {len(obstacle.conversations):,} of {counted(obstacle.of, 'conversation')}, "
        f"tied by {tied}: {some}{' and more' if len(obstacle.conversations) > 5 else ''}.",
        f"{way} add conversations that hang together with no others.",
    )


def _lines(before: SplitReport, after: SplitReport) -> tuple[str, ...]:
    rows = [("split", "before", "now", "tokens")]
    old = before.shares()
    for name, share in after.shares().items():
        cells = (
            name or "unassigned",
            f"{old[name].rows:,}",
            f"{share.rows:,}",
            f"{share.tokens:,}",
        )
        rows.append(cells)
    told = (
        f"{counted(after.groups, 'group')}, {after.straddling_groups:,} straddling, "
        f"{counted(len(after.leaks), 'prompt or beginning', 'prompts or beginnings')} in several splits"
    )
    return (*table(rows), told)
