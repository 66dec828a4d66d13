"""The pages of the window in their order; each is imported when it is first needed."""

from importlib import import_module
from typing import Final, NamedTuple, cast

from curator.app.page import Page


class PageEntry(NamedTuple):
    """One page in the rail, by the module and the class it stands in."""

    page_id: str
    module: str
    name: str

    def load(self) -> type[Page]:
        """Import the page's class; the window is up before any of them is loaded."""
        return cast("type[Page]", getattr(import_module(self.module), self.name))


GUIDE: Final = PageEntry("guide", "curator.app.pages.guide", "GuidePage")
"""Not in the rail: help.guide opens it over any page and goes back to that."""

PAGES: Final = (
    PageEntry("write", "curator.app.pages.write", "WritePage"),
    PageEntry("label", "curator.app.pages.label.page", "LabelPage"),
    PageEntry("check", "curator.app.pages.check.page", "CheckPage"),
    PageEntry("duplicates", "curator.app.pages.duplicates.page", "DuplicatesPage"),
    PageEntry("export", "curator.app.pages.export.page", "ExportPage"),
    PageEntry("train", "curator.app.pages.train.page", "TrainPage"),
    PageEntry("try", "curator.app.pages.try_out.page", "TryPage"),
    PageEntry("evaluate", "curator.app.pages.evaluate.page", "EvaluatePage"),
)
"""The pages in the order of the rail; text, icon and key come from the action ``go.PAGE``."""
