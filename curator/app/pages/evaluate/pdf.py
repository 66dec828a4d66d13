"""The report of a run as PDF: the same HTML, laid out by Qt."""

import tempfile
from pathlib import Path

from PySide6.QtCore import QEventLoop
from PySide6.QtGui import QPageSize, QPdfWriter, QTextDocument

from curator.project.store.values import storable
from curator.tune.evaluation.report import parts_of, to_html
from curator.tune.evaluation.results import Results


def write_pdf(results: Results, project: str, path: Path) -> None:
    """Write the report beside its place and move it there whole; raises OSError."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".report-") as folder:
        made = Path(folder) / "report.pdf"
        writer = QPdfWriter(str(made))
        writer.setTitle("Evaluation")
        writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
        # A thread of the pool has no event dispatcher until something asks for one; the layout's timers do.
        loop = QEventLoop()
        document = QTextDocument()
        document.setHtml(storable(to_html(parts_of(results, project), pictures=False)))
        document.print_(writer)
        del document, writer, loop
        made.replace(path)
