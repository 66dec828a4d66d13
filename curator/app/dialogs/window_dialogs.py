"""The boxes of the frame: palette, keys, preferences, about and the report of an import."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget

from curator.app.actions import ACTIONS, action
from curator.app.menus import Menus
from curator.app.preference_file import read_stored
from curator.app.session.recents import recent_projects
from curator.app.session.session import Session
from curator.app.theme import Theme
from curator.dataset.label import plain_name

if TYPE_CHECKING:
    from curator.app.dialogs.palette import CommandPalette
    from curator.app.preferences import PreferenceStore
    from curator.project.imports.report import ImportReport


class WindowDialogs(QObject):
    """Opens each box when it is asked for; what they need is imported then."""

    def __init__(self, window: QWidget, session: Session, menus: Menus, theme: Theme) -> None:
        super().__init__(window)
        self._window = window
        self._session = session
        self._menus = menus
        self._theme = theme
        self._palette: CommandPalette | None = None
        self._store: PreferenceStore | None = None

    def palette(self) -> None:
        """Show the command palette."""
        from curator.app.dialogs.palette import CommandPalette

        if self._palette is None:
            self._palette = CommandPalette(self._window)
            self._palette.chosen.connect(self._choose_action)
            self._palette.project_chosen.connect(self._session.open_project)
        recent = [each.path for each in recent_projects()]
        self._palette.ask([entry.id for entry in ACTIONS], self._menus.reasons, recent)

    def _choose_action(self, action_id: str) -> None:
        reason = self._menus.reasons.get(action_id)
        if reason:
            words = self.tr("{0} cannot be done now.").format(action(action_id).label())
            self._session.notify("info", words, reason)
        else:
            self._menus.run(action_id)

    def shortcuts(self) -> None:
        """Show the keys."""
        from curator.app.dialogs.shortcut_sheet import ShortcutSheet

        ShortcutSheet(self._window).open()

    def about(self) -> None:
        """Show version and licences."""
        from curator.app.dialogs.about import AboutDialog

        AboutDialog(self._window).open()

    def preferences(self) -> None:
        """Show the preferences."""
        from curator.app.dialogs.preferences_dialog import PreferencesDialog

        PreferencesDialog(self.store(), self._window).open()

    def choose_theme(self, choice: str) -> None:
        """Switch the theme and remember it."""
        self.store().change("theme", choice)

    def store(self) -> "PreferenceStore":
        """Return the preferences in use."""
        from curator.app.preferences import PreferenceStore

        if self._store is None:
            self._store = PreferenceStore(self)
            self._store.changed.connect(self._preference_changed)
        return self._store

    def import_report(self, report: "ImportReport") -> None:
        """Say what came of an import: a notice, and the list where something was left out."""
        from curator.app.dialogs.import_report import ImportReportDialog, summary

        words = summary(report, self._window)
        said = [*(each.reason for each in report.unreadable), *report.notes]
        if not report.rejected and len(said) < 2:
            # One sentence fits into the notice.
            is_good = not report.unreadable and bool(report.imported)
            self._session.notify("success" if is_good else "warning", words, "".join(said))
            return
        detail = self.tr(
            "What was left out is kept beside the project, with the reason of each line."
        )
        if not report.rejects_files:
            detail = self.tr("The list says which files, and why.")

        def show() -> None:
            ImportReportDialog(report, self._window).open()

        self._session.notify("warning", words, detail, self.tr("Show the list"), show)

    def _preference_changed(self, name: str) -> None:
        values = self.store().values
        self._session.preferences = read_stored()
        if name == "theme":
            self._theme.choose(values.theme)
        elif name == "author" and plain_name(values.author):
            self._session.author = plain_name(values.author)
        elif name == "compact_rows":
            from curator.app.tables.grid import GridView

            for widget in QApplication.allWidgets():
                if isinstance(widget, GridView):
                    widget.set_compact(compact=values.compact_rows)
