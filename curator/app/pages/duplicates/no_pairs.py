"""What the page says where it has no pair to show."""

from PySide6.QtWidgets import QWidget

from curator.app.widgets.empty_state import EmptyState


class NoPairs(EmptyState):
    """Says why there is nothing to decide, and what to do next."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("duplicates", "", "", "", parent)

    def show_reading(self) -> None:
        """Say that it is not known yet what the last search found."""
        self.set_message(
            self.tr("Reading duplicates"),
            self.tr("Looking up what the last search found."),
            icon_name="duplicates",
        )

    def show_nothing_to_compare(self) -> None:
        """Say what comes before a search."""
        self.set_message(
            self.tr("Nothing to compare yet"),
            self.tr("Import files or write conversations; then look for copies among them here."),
            self.tr("Import files"),
            icon_name="duplicates",
        )

    def show_not_searched(self) -> None:
        """Offer the first search."""
        self.set_message(
            self.tr("Not searched yet"),
            self.tr(
                "Copies make a base model learn the same words twice. Look for exact copies, or "
                "for near ones at a similarity you choose; nothing is missed."
            ),
            self.tr("Find duplicates"),
            icon_name="duplicates",
        )

    def show_none_left(self) -> None:
        """Say that all is decided."""
        self.set_message(
            self.tr("No duplicates left"),
            self.tr("No two conversations are as similar as you asked for."),
            self.tr("Go on to Split and export"),
            icon_name="check",
        )

    def show_nothing_removed(self) -> None:
        """Say that no conversation is removed."""
        self.set_message(
            self.tr("Nothing is removed"),
            self.tr("What you remove here can be brought back from this list at any time."),
            icon_name="restore",
        )

    def show_failed(self, error: object) -> None:
        """Say why a search failed."""
        self.set_message(
            self.tr("The search failed"), str(error), self.tr("Try again"), icon_name="error"
        )
