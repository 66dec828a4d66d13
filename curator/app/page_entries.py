"""The pages of the window in their order; each is imported when it is first needed."""

from collections.abc import Callable
from typing import Final, NamedTuple

from curator.app.page import Page


class PageEntry(NamedTuple):
    """One page in the rail; load imports it when it is first needed, after the window is up."""

    page_id: str
    load: Callable[[], type[Page]]


def _write() -> type[Page]:
    from curator.app.pages.write import WritePage

    return WritePage


def _label() -> type[Page]:
    from curator.app.pages.label.page import LabelPage

    return LabelPage


def _check() -> type[Page]:
    from curator.app.pages.check.page import CheckPage

    return CheckPage


def _duplicates() -> type[Page]:
    from curator.app.pages.duplicates.page import DuplicatesPage

    return DuplicatesPage


def _export() -> type[Page]:
    from curator.app.pages.export.page import ExportPage

    return ExportPage


def _train() -> type[Page]:
    from curator.app.pages.train.page import TrainPage

    return TrainPage


def _try() -> type[Page]:
    from curator.app.pages.try_out.page import TryPage

    return TryPage


def _evaluate() -> type[Page]:
    from curator.app.pages.evaluate.page import EvaluatePage

    return EvaluatePage


def _guide() -> type[Page]:
    from curator.app.pages.guide import GuidePage

    return GuidePage


GUIDE: Final = PageEntry("guide", _guide)
"""Not in the rail: help.guide opens it over any page and goes back to that."""

PAGES: Final = (
    PageEntry("write", _write),
    PageEntry("label", _label),
    PageEntry("check", _check),
    PageEntry("duplicates", _duplicates),
    PageEntry("export", _export),
    PageEntry("train", _train),
    PageEntry("try", _try),
    PageEntry("evaluate", _evaluate),
)
"""The pages in the order of the rail; text, icon and key come from the action ``go.PAGE``."""
