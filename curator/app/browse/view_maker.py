"""Makes the session's view from a query and an order; slow searches run in the background."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from curator.app.session.background import Job
from curator.app.session.session import Session, View
from curator.curate.search.query import Query, parse_query
from curator.dataset.errors import CuratorError
from curator.dataset.progress import CancelledCall, ProgressCall

if TYPE_CHECKING:
    import numpy as np

QUICK_ROWS: Final = 150_000
"""Up to this many rows a view without a text search is made on the spot, in a few milliseconds."""


class ViewMaker(QObject):
    """Holds what is asked for; made follows when session.view is set anew."""

    made = Signal()
    searching = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._job: Job[np.ndarray] | None = None
        self._counted = 0
        self.query = ""
        self.sort = "id"
        self.descending = False

    @property
    def is_working(self) -> bool:
        """Whether a view is being made in the background."""
        return self._job is not None

    def ask(
        self, query: str | None = None, sort: str | None = None, *, descending: bool = False
    ) -> None:
        """Show what a query finds, in an order; what is not given stays."""
        if query is not None:
            self.query = query
        if sort is not None:
            self.sort, self.descending = sort, descending
        self.make()

    def make(self) -> None:
        """Make the view anew, now or in the background."""
        self._stop()
        index = self._session.index
        if index is None:
            self._session.view = None
            self.made.emit()
            return
        from curator.project.queries.filters import view

        query = parse_query(self.query)
        if not query.needs_text and self.sort != "title" and len(index) <= QUICK_ROWS:
            self._take(view(index, query, self.sort, self.descending))
            return
        self._start(query)

    def _start(self, query: Query) -> None:
        project, index = self._session.project, self._session.index
        sort, descending = self.sort, self.descending
        if project is None or index is None:
            return

        def work(_progress: ProgressCall, cancelled: CancelledCall) -> "np.ndarray":
            from curator.project.queries.filters import view
            from curator.project.queries.search import find_ids

            hits = None
            with project.reader() as reader:
                if sort == "title":
                    index.ensure_title_rank(reader)
                if query.needs_text:
                    among = index.ids[view(index, query)]
                    among.sort()
                    hits = find_ids(reader, query, among=among, cancelled=cancelled)
            return view(index, query, sort, descending, hits)

        self._counted = len(index)
        self._job = self._session.start(self.tr("Searching"), work)
        self._job.succeeded.connect(self._take_found)
        self._job.failed.connect(self._failed)
        self.searching.emit()

    def _take_found(self, rows: "np.ndarray") -> None:
        self._job = None
        index = self._session.index
        if index is None or len(index) != self._counted:
            # Rows came or went meanwhile, so the row numbers mean others now.
            self.make()
            return
        self._take(rows)

    def _failed(self, error: object) -> None:
        self._job = None
        if isinstance(error, CuratorError):
            self._session.notify("error", str(error))
        # What was shown before stays, and nothing is being searched any more.
        self.made.emit()

    def _take(self, rows: "np.ndarray") -> None:
        self._session.view = View(rows, self.query, self.sort, self.descending)
        self.made.emit()

    def _stop(self) -> None:
        if self._job is not None and not self._job.is_over:
            self._job.succeeded.disconnect(self._take_found)
            self._job.cancel()
        self._job = None
