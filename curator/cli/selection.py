"""Which conversations a verb works on: a query as in the search field, or ids."""

from curator.cli.answer import notice
from curator.cli.arguments import Options, Parser, names
from curator.cli.progress import Progress
from curator.dataset.errors import WrongUse
from curator.project.store.project import Project

_DIGITS = 18
"""Of the largest id that a project file can hold."""


def add_where(parser: Parser) -> None:
    """Add the one word for a filter; --filter is its other name."""
    parser.add_argument(
        "--where",
        "--filter",
        dest="where",
        metavar="QUERY",
        default="",
        help='as in the search field: status:pending tokens:>100 "lost card" -label:fraud',
    )


def add_selection(parser: Parser) -> None:
    """Add the arguments that choose conversations; without them all that are not removed count."""
    add_where(parser)
    parser.add_argument("--ids", metavar="ID,...", type=names, default=(), help="these ids only")


def select(project: Project, options: Options, progress: Progress) -> list[int]:
    """Return the ids chosen, in order; raises WrongUse for a query that is not understood."""
    if options.ids:
        return _given(project, options.ids)
    return matching(project, options.where, progress)


def matching(project: Project, text: str, progress: Progress) -> list[int]:
    """Return the ids a query finds, in order, removed ones only where it asks for them."""
    from curator.project.queries.selecting import matching_ids, understood

    query = understood(text)
    for note in query.notes:
        notice(note)
    return matching_ids(project, query, progress, progress.cancelled)


def _given(project: Project, texts: tuple[str, ...]) -> list[int]:
    if not all(text.isdecimal() and len(text) <= _DIGITS for text in texts):
        raise WrongUse("Ids are whole numbers, written with commas: --ids 3,17,20.")
    wanted = sorted({int(text) for text in texts})
    known = set(project.ids().tolist())
    missing = [id_ for id_ in wanted if id_ not in known]
    if missing:
        raise WrongUse(f"There is no conversation {missing[0]} in {project.path.name}.")
    return wanted
