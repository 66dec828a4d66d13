"""Which conversations a verb works on: a query as in the search field, or ids."""

from typing import TYPE_CHECKING

from curator.cli.answer import notice
from curator.cli.arguments import Options, Parser, names
from curator.cli.progress import Progress
from curator.dataset.errors import WrongUse
from curator.project.queries.filters import view
from curator.project.queries.index import Index
from curator.project.store.project import Project

if TYPE_CHECKING:
    from curator.curate.search.query import Query
    from curator.project.queries.search import Ids


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
    from curator.curate.search.query import parse_query

    query = parse_query(text)
    for note in query.notes:
        notice(note)
    if query.notes and query.is_empty:
        # A filter that was not understood must not turn into "all of them".
        raise WrongUse(f"The query {text!r} was not understood. {' '.join(query.notes)}")
    index = Index(project.path)
    try:
        rows = view(index, query, hits=_hits(project, query, progress))
        return sorted(int(id_) for id_ in index.ids[rows])
    finally:
        index.close()


def _hits(project: Project, query: "Query", progress: Progress) -> "Ids | None":
    """Return what a text search finds, None where the query asks for no text."""
    from curator.project.queries.search import find_ids, index_texts

    if not query.needs_text:
        return None
    if not project.read_only:
        index_texts(project, progress, progress.cancelled)
    return find_ids(project, query, cancelled=progress.cancelled)


def _given(project: Project, texts: tuple[str, ...]) -> list[int]:
    if not all(text.isdecimal() and len(text) <= _DIGITS for text in texts):
        raise WrongUse("Ids are whole numbers, written with commas: --ids 3,17,20.")
    wanted = sorted({int(text) for text in texts})
    known = set(project.ids().tolist())
    missing = [id_ for id_ in wanted if id_ not in known]
    if missing:
        raise WrongUse(f"There is no conversation {missing[0]} in {project.path.name}.")
    return wanted
