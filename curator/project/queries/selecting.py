"""Which conversations a query finds: what the search field, the verbs and the pages mean by a filter."""

from curator.curate.search.query import Query, parse_query
from curator.dataset.errors import WrongUse
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.project.queries.filters import view
from curator.project.queries.index import Index
from curator.project.queries.search import Ids, find_ids, index_texts
from curator.project.store.project import Project


def understood(text: str) -> Query:
    """Return a query; raises WrongUse where nothing of it was understood.

    A filter that was not understood must not turn into "all of them".
    """
    query = parse_query(text)
    if query.notes and query.is_empty:
        raise WrongUse(f"The query {text!r} was not understood. {' '.join(query.notes)}")
    return query


def matching_ids(
    project: Project, query: Query, progress: ProgressCall, cancelled: CancelledCall
) -> list[int]:
    """Return the ids a query finds, in order, removed ones only where it asks for them."""
    index = Index(project.path)
    try:
        rows = view(index, query, hits=_hits(project, query, progress, cancelled))
        return sorted(int(id_) for id_ in index.ids[rows])
    finally:
        index.close()


def _hits(
    project: Project, query: Query, progress: ProgressCall, cancelled: CancelledCall
) -> Ids | None:
    """Return what a text search finds, None where the query asks for no text."""
    if not query.needs_text:
        return None
    if not project.read_only:
        index_texts(project, progress, cancelled)
    return find_ids(project, query, cancelled=cancelled)
