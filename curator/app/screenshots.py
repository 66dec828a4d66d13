"""Pictures of every page, taken without a screen: for the README and for the tour of the sample.

``python -m curator --screenshots FOLDER PROJECT [JOB]`` writes ``PAGE-THEME.png`` for the first-start
page and every page of the project, in the light and the dark theme. Of the jobs of this computer only
the one named is shown.
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from curator.app.main import Curator


_SIZE: Final = (1440, 900)
_THEMES: Final = ("light", "dark")
_LOOK_MS: Final = 120
_CALM_LOOKS: Final = 6
"""How many looks in a row must find nothing at work before a picture is taken."""
_MOST_LOOKS: Final = 400


def main(arguments: Sequence[str]) -> int:
    """Take the pictures; returns 0, or 1 where a page did not come to rest."""
    folder, project = Path(arguments[0]), Path(arguments[1])
    job = arguments[2] if len(arguments) > 2 else ""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory() as settings:
        # The job is looked for where it was started, before the folders are others.
        _bring(job, Path(settings) / "state")
        # The pictures must neither show nor change what this person set.
        os.environ["XDG_CONFIG_HOME"] = settings
        os.environ["XDG_DATA_HOME"] = settings
        return _take(folder, project)


def _bring(name: str, state: Path) -> None:
    """Make state the folder of jobs, with a copy of the one job that the pictures are to show."""
    from curator.tune.jobs.table import JobTable
    from curator.tune.local.bases.environment import trainer_python

    trainer = trainer_python()
    if trainer is not None:
        os.environ["CURATOR_TRAINER_PYTHON"] = trainer
    shown = None
    if name:
        with closing(JobTable()) as table:
            shown = table.get(name)
            events, checkpoints = table.events(shown.token), table.checkpoints(shown.token)
            result, lineage = table.result(shown.token), table.lineage(shown.token)
    os.environ["CURATOR_STATE"] = str(state)
    if shown is not None:
        with closing(JobTable()) as table:
            table.add(shown)
            table.add_events(shown.token, events)
            table.set_checkpoints(shown.token, checkpoints)
            table.keep_result(shown.token, result)
            table.keep_lineage(shown.token, lineage)


def _take(folder: Path, project: Path) -> int:
    from curator.app.main import Curator, make_application

    app = make_application(["curator"])
    app.setCursorFlashTime(0)

    def stop(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        # An exception in a slot would come back with every look.
        sys.__excepthook__(kind, error, trace)
        app.exit(1)

    sys.excepthook = stop
    curator = Curator(app)
    curator.window.resize(*_SIZE)
    curator.window.show()
    return _session(app, curator, folder, project)


def _session(app: "QApplication", curator: "Curator", folder: Path, project: Path) -> int:
    from PySide6.QtCore import QTimer

    from curator.app.page_entries import PAGES

    rounds = [(theme, "start") for theme in _THEMES]
    rounds += [(theme, entry.page_id) for theme in _THEMES for entry in PAGES]
    taken: list[str] = []
    calm = looks = 0

    def turn_to(theme: str, page: str) -> None:
        curator.theme.choose(theme)
        if page == "start" or curator.session.project is not None:
            curator.show_page(page)
        else:
            curator.session.open_project(project)

    def look() -> None:
        nonlocal calm, looks
        looks += 1
        theme, page = rounds[len(taken)]
        there = curator.front is not None and curator.front.page_id == page
        calm = calm + 1 if there and not curator.jobs.running() else 0
        if not there and not curator.jobs.running():
            turn_to(theme, page)
        if calm >= _CALM_LOOKS:
            name = f"{page}-{theme}.png"
            curator.window.grab().save(str(folder / name))
            taken.append(name)
            calm = 0
            if len(taken) < len(rounds):
                turn_to(*rounds[len(taken)])
        if len(taken) == len(rounds) or looks > _MOST_LOOKS:
            timer.stop()
            curator.window.close()
            app.exit(0 if len(taken) == len(rounds) else 1)

    timer = QTimer(curator.window)
    timer.timeout.connect(look)
    turn_to(*rounds[0])
    timer.start(_LOOK_MS)
    code = app.exec()
    sys.stdout.write("".join(f"{folder / name}\n" for name in taken))
    return code
