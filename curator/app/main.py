"""The composition root of the window: builds every part, joins them, and runs."""

import gc
import os
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from curator import __version__
from curator.app import excepthook
from curator.app.actions import action
from curator.app.annotate.label_files import LabelFiles
from curator.app.counted import counted
from curator.app.dialogs.window_dialogs import WindowDialogs
from curator.app.focus_fallback import FocusFallback
from curator.app.main_window import MainWindow
from curator.app.menus import Menus
from curator.app.other_page_actions import OtherPageActions
from curator.app.page import OpenRequest, Page
from curator.app.page_entries import GUIDE, PAGES
from curator.app.pages.first_start import FirstStartPage
from curator.app.preference_file import read_stored
from curator.app.quitting import Quitting
from curator.app.recent_menu import RecentMenu
from curator.app.session.background import Jobs
from curator.app.session.collector import Collector
from curator.app.session.file_actions import FileActions
from curator.app.session.recents import recent_projects, remember_project
from curator.app.session.session import Session
from curator.app.shortcuts import PlainKeyFilter
from curator.app.theme import Theme
from curator.app.timers import single_shot
from curator.app.undo_notice import UndoNotice
from curator.app.widgets.rail import RailEntry

if TYPE_CHECKING:
    from curator.app.sample_tour import TourBar
    from curator.project.store.project import Project


STYLE: Final = ("-style", "Fusion")
"""Given as an argument: setStyle would load the bindings of all of QStyle, a tenth of the time to start."""

COUNT_AFTER_MS: Final = 60
"""Counts follow an edit this much later: counting a million rows takes longer than a key press may."""


SETTLED_AFTER_MS: Final = 3_000
"""So long after a project was opened its pages are built and their modules loaded."""


class Curator(QObject):
    """The running window: pages, actions, session and jobs, joined."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        stored = read_stored()
        self.theme = Theme(app, str(stored.get("theme", "system")), self)
        self.jobs = Jobs(self)
        self.session = Session(self.jobs, str(stored.get("author", "")), self)
        self.session.preferences = stored
        self.window = MainWindow([_rail_entry(entry.page_id) for entry in PAGES])
        self.menus = Menus(self.window)
        self.keys = PlainKeyFilter(app, self.window)
        self.keys.watch(self.menus.entries.values())
        self.focus = FocusFallback(app, self.window, lambda: self.front)
        self.file_actions = FileActions(self.window, self.session, self.jobs)
        self.label_files = LabelFiles(self.window, self.session, self.jobs, self.file_actions)
        self.dialogs = WindowDialogs(self.window, self.session, self.menus, self.theme)
        self.file_actions.show_report = self.dialogs.import_report
        self.file_actions.begin_writing = self._begin_writing
        recent = RecentMenu(self.window)
        recent.chosen.connect(self.session.open_project)
        self.menus.insert(recent, "file.write")
        UndoNotice(self.session, lambda: self.front, self.open, self)
        self.other_pages = OtherPageActions(self.session, lambda: self.front, self.show_page, self)
        self.pages: dict[str, Page] = {}
        self.front: Page | None = None
        self._front_before = PAGES[0].page_id
        self._before_guide = "start"
        self.is_stuck = False
        self.quitting = Quitting(self.window)
        self._count_soon = single_shot(self, COUNT_AFTER_MS, self._count)
        self.session.closed.connect(self._discard_pages)
        self.session.project_changed.connect(self._project_changed)
        self.session.edited.connect(self._edited)
        self.session.notice.connect(self.window.toaster.show)
        self.jobs.started.connect(self.window.status.add_job)
        self.jobs.finished.connect(self.window.status.remove_job)
        self.jobs.bug_found.connect(excepthook.report_bug)
        self.window.page_requested.connect(self.show_page)
        self.window.fold_requested.connect(self.window.toggle_rail)
        self.window.files_dropped.connect(self.file_actions.take)
        self.window.about_to_close.connect(self._close)
        self.window.text_left.connect(self._leave_text)
        self.keys.typing_changed.connect(self._typing)
        self.window.rail.hide()
        self.show_page("start")
        self.window.restore_geometry()

    @cached_property
    def tour(self) -> "TourBar":
        """The line above the pages; it has nothing to say before the first project."""
        from curator.app.sample_tour import TourBar

        bar = TourBar(self.session, self.jobs, self.file_actions.sample_path(), self.window)
        bar.page_requested.connect(self.show_page)
        self.window.show_above(bar)
        return bar

    def show_page(self, page_id: str) -> Page:
        """Bring a page to the front, building it where it is needed for the first time."""
        page = self.pages.get(page_id) or self._build(page_id)
        if self.front is not page:
            if self.front is not None:
                self.front.is_front = False
                self.front.deactivated()
            self.front = page
            page.is_front = True
            self.window.show_page(page_id, page, page.inspector())
            page.activated()
            page.set_initial_focus()
        self._update_actions()
        return page

    def open(self, request: OpenRequest) -> None:
        """Go where a page asked to go."""
        if request.page in {entry.page_id for entry in PAGES}:
            self.show_page(request.page).open(request)

    def guide(self) -> None:
        """Open the guide at what it says of the page in front, or go back to that page."""
        if self.front is not None and self.front.page_id == "guide":
            # Opened before any project: the first page is no place to go back to once there is one.
            came_from_start = self.session.project is not None and self._before_guide == "start"
            self.show_page(PAGES[0].page_id if came_from_start else self._before_guide)
            return
        self._before_guide = self.front.page_id if self.front is not None else "start"
        self.show_page("guide").open(OpenRequest("guide", detail=self._before_guide))

    def reopen(self) -> None:
        """Open the project of last time, where the person wants that."""
        recents = recent_projects()
        if self.session.preference("reopen", default=False) and recents:
            self.session.open_project(recents[0].path)

    def _build(self, page_id: str) -> Page:
        kinds = {entry.page_id: entry.load for entry in (*PAGES, GUIDE)}
        kind = FirstStartPage if page_id == "start" else kinds[page_id]()
        page = kind(self.session, self.jobs)
        page.open_requested.connect(self.open)
        page.slots_changed.connect(self._update_actions)
        page.count_changed.connect(self._count_soon.start)
        page.action_requested.connect(self.menus.run)
        self.pages[page_id] = page
        return page

    def _project_changed(self) -> None:
        project = self.session.project
        self.window.rail.setVisible(project is not None)
        self.tour.follow_project()
        self.window.show_banner(self._banner())
        self.window.status.show_saved(is_so=False)
        if project is None:
            self._front_before = PAGES[0].page_id
            self.window.setWindowTitle("Curator")
            self.show_page("start")
        else:
            self.session.author = self.session.author or login_name()
            remember_project(project.path)
            self.window.setWindowTitle(f"{project.path.stem} – Curator")
            if self.front is None or self.front.page_id in ("start", GUIDE.page_id):
                self.show_page(self._front_before)
            self._build_rest()
        self._edited(None)

    def _discard_pages(self) -> None:
        """Discard everything that was made for the project closed just now.

        A page, its inspector and its dialogs belong to one project: another one gets new ones, so
        that nothing of the last can be shown, offered or sent.
        """
        for box in QApplication.topLevelWidgets():
            if isinstance(box, QDialog) and box.isVisible():
                box.reject()
        self.window.toaster.clear()
        self.menus.offer({})
        for name in [name for name in self.pages if name != "start"]:
            self.window.discard(*self._forget(name))
        if self.front is not None and self.front.page_id != "start":
            place = self._before_guide if self.front.page_id == "guide" else self.front.page_id
            self._front_before = PAGES[0].page_id if place == "start" else place
            self.front = None

    def _forget(self, page_id: str) -> tuple[QWidget, ...]:
        """Forget a page; returns it and its inspector, which hear nothing of the session any more."""
        page = self.pages.pop(page_id)
        inspector = page.inspector()
        gone = (page,) if inspector is None else (page, inspector)
        for widget in gone:
            for each in (widget, *widget.findChildren(QObject)):
                self.session.disconnect(each)
        page.is_front = False
        return gone

    def _edited(self, changes: object) -> None:
        if changes is not None:
            self.window.status.show_saved()
        self._count_soon.start()
        self._update_actions()

    def _banner(self) -> str:
        project = self.session.project
        if project is None or not project.read_only:
            return ""
        if not project.holder:
            return self.tr("This project is open for reading only: you can look, not change.")
        words = self.tr("{0} has this project open: you can look, not change.")
        return words.format(project.holder)

    def _count(self) -> None:
        built = [entry.page_id for entry in PAGES if entry.page_id in self.pages]
        self.window.show_counts({name: self.pages[name].rail_count() for name in built})
        project, index = self.session.project, self.session.index
        if project is None or index is None:
            self.window.status.show_project("", "")
            return
        totals = counted(self.session.counts()["all"], "conversation")
        self.window.status.show_project(str(project.path), totals)

    def _build_rest(self) -> None:
        """Build the other pages one at a time when nothing else is to do, so that their counts show."""
        missing = [entry.page_id for entry in PAGES if entry.page_id not in self.pages]
        if missing and self.session.project is not None:
            self._build(missing[0])
            self._count()
            QTimer.singleShot(0, self._build_rest)

    def _update_actions(self) -> None:
        """Work out anew which actions can be done: by the window, the page in front, or another page."""
        slots = self._own_slots()
        offered = dict(self.front.slots()) if self.front is not None else {}
        for action_id in ("edit.undo", "edit.redo"):
            # A page may undo in its own way, but only where there is something to undo.
            if action_id not in slots:
                offered.pop(action_id, None)
        here = slots | offered
        there = self.other_pages.slots(here)
        reasons = self.other_pages.reasons(here.keys() | there.keys())
        self.menus.offer(here, there, reasons)
        if self.front is not None:
            self.front.enable_actions(here, reasons)
            self.front.catch_up_focus()
        self.other_pages.run_pending(here)

    def _own_slots(self) -> dict[str, Callable[[], object]]:
        slots: dict[str, Callable[[], object]] = {
            "file.new": self.file_actions.new,
            "file.open": self.file_actions.open,
            "file.write": self.file_actions.write,
            "file.import": self.file_actions.import_files,
            "file.sample": self.file_actions.sample,
            "file.quit": self.window.close,
            "file.preferences": self.dialogs.preferences,
            "view.palette": self.dialogs.palette,
            "help.shortcuts": self.dialogs.shortcuts,
            "help.about": self.dialogs.about,
            "view.rail": self.window.toggle_rail,
            "view.inspector": self.window.toggle_inspector,
            "help.guide": self.guide,
        }
        for choice in ("system", "light", "dark", "contrast"):
            slots[f"view.theme_{choice}"] = partial(self.dialogs.choose_theme, choice)
        project = self.session.project
        if project is None or project.read_only:
            self._name_undo(None, None)
        if project is not None:
            slots["file.close"] = self.session.close_project
            slots["label.export"] = self.label_files.export_labels
            for entry in PAGES:
                slots[f"go.{entry.page_id}"] = partial(self.show_page, entry.page_id)
            if not project.read_only:
                slots["label.import"] = self.label_files.import_labels
                slots |= self._undo_slots(project)
        return slots

    def _undo_slots(self, project: "Project") -> dict[str, Callable[[], object]]:
        """Return undo and redo where there is something to, and show what that is in the menu."""
        slots: dict[str, Callable[[], object]] = {}
        undo, redo = project.undo_title(), project.redo_title()
        if undo is not None:
            slots["edit.undo"] = self.session.undo
        if redo is not None:
            slots["edit.redo"] = self.session.redo
        self._name_undo(undo, redo)
        return slots

    def _name_undo(self, undo: str | None, redo: str | None) -> None:
        self.menus.rename(
            "edit.undo", self.tr("Undo: {0}").format(undo) if undo else self.tr("Undo")
        )
        self.menus.rename(
            "edit.redo", self.tr("Redo: {0}").format(redo) if redo else self.tr("Redo")
        )

    def _begin_writing(self) -> None:
        self.show_page("write")
        self.menus.run("conversation.new")

    def _leave_text(self) -> None:
        if self.front is not None:
            self.front.leave_text()

    def _typing(self, typing: bool) -> None:  # noqa: FBT001 - a Qt slot
        words = self.tr("Typing: letter keys are off, Esc leaves the text")
        self.window.status.show_hint(words if typing else self.tr("? shows the keys"))

    def _close(self) -> None:
        if self.front is not None:
            self.front.deactivated()
        self.window.hide()
        self.is_stuck = not self.jobs.shutdown()
        self.session.close_project()
        self.quitting.end_server()


def login_name() -> str:
    """Return the name this person logged in with, empty where the system does not tell."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _rail_entry(page_id: str) -> RailEntry:
    go = action(f"go.{page_id}")
    return RailEntry(page_id, go.label(), go.icon, go.shortcut)


def make_application(argv: Sequence[str]) -> QApplication:
    """Return the one QApplication, named so that settings find their place."""
    QCoreApplication.setOrganizationName("Curator")
    QCoreApplication.setApplicationName("Curator")
    QCoreApplication.setApplicationVersion(__version__)
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication([*argv, *STYLE])
    app.setAttribute(Qt.ApplicationAttribute.AA_DontShowIconsInMenus, on=False)
    return app


def freeze_after_start(curator: Curator, after_ms: int = SETTLED_AFTER_MS) -> None:
    """Keep garbage collections short: what exists once all is built stays, and is looked through no more.

    gc.freeze takes modules, pages and the index out of the collector's sight; a full collection over
    them would block the window for some 50 ms.
    """
    settled = single_shot(curator, after_ms, _freeze)
    curator.session.project_changed.connect(settled.start)
    settled.start()


def _freeze() -> None:
    gc.freeze()


def run(argv: Sequence[str] = ()) -> int:
    """Show the window and run until it closes; a path in argv is opened."""
    app = make_application(["curator", *argv])
    curator = Curator(app)
    excepthook.install(curator.window)
    curator.window.show()
    freeze_after_start(curator)
    # Lives as long as curator, its parent; garbage is collected only in the window's own thread.
    Collector(curator)
    files = [Path(argument) for argument in argv if not argument.startswith("-")]
    if files:
        curator.file_actions.take(files[:1])
    else:
        curator.reopen()
    import signal

    # Ctrl+C in the terminal ends the program at once; whatever was done is stored already.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    code = app.exec()
    if curator.is_stuck:
        # A job that ignores its cancel would keep the interpreter from ending; what is stored is durable.
        os._exit(code)
    return code
