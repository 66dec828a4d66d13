"""One window for a whole table of states: the projects are made once, and the window goes from one to the next."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSettings
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from curator.app.main import Curator, make_application
from curator.app.page import Page
from curator.app.page_entries import PAGES
from curator.dataset import AnnotationPatch, ContentPatch, Edit, LabelSet
from curator.project.labels import label_sets_patch
from curator.project.store.project import Project
from tests.app.conftest import without_trainer
from tests.app.laws.conftest import answering, make_rich
from tests.tune.protocol_server import ProtocolServer

ARABIC = "أين بطاقتي؟ لقد طلبتها قبل أسبوعين ولم تصل بعد"
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitän" * 12


def line(question: str, answer: str, system: str = "Be brief.") -> str:
    """Write one conversation of three messages."""
    turns = (("system", system), ("user", question), ("assistant", answer))
    messages = [{"role": role, "content": content} for role, content in turns]
    return json.dumps({"messages": messages}, ensure_ascii=False)


def write(
    path: Path, lines: list[str], sets: tuple[LabelSet, ...] = (), tag: str = "", note: str = ""
) -> Path:
    """Make a project that holds these lines; the first one carries the tag and the note."""
    with closing(Project.create(path, "anna")) as project:
        ids = project.new_conversation_ids(len(lines))
        patches = tuple(ContentPatch(i, None, text) for i, text in zip(ids, lines, strict=True))
        if patches:
            project.apply(Edit("Write", "anna", patches))
        if sets:
            project.apply(Edit("Label sets", "anna", (label_sets_patch(project, sets),)))
        marks = (("tags", [], [tag]), ("note", "", note)) if tag else ()
        for name, before, after in marks:
            project.apply(Edit("Mark", "anna", (AnnotationPatch(name, (1,), (before,), (after,)),)))
    return path


def many() -> list[str]:
    """Forty conversations: every fourth question again, two without an answer."""
    texts = [line(f"Question {n % 10}", f"Answer {n % 10}") for n in range(38)]
    return [*texts, line("No answer", ""), line("None either", "")]


INTENT = (
    LabelSet("Intent", "choice", ("card", "transfer", "other"), "What is wanted"),
    LabelSet("Tone", "rating", ("1", "2", "3")),
)
LONG_SETS = (
    LabelSet("What the customer " * 6, "choice", ("a very long answer " * 5, "b"), "Why " * 60),
    LabelSet(LONG_WORD[:100], "multi", tuple(f"{LONG_WORD[:70]} {n}" for n in range(9))),
)
ARABIC_SETS = (LabelSet("النية", "choice", ("بطاقة", "تحويل"), ARABIC),)

PROJECTS: dict[str, Callable[[Path], Path]] = {
    "empty": lambda at: write(at / "empty desk.curator", []),
    "one": lambda at: write(at / "one.curator", [line("Where is my card?", "On its way.")], INTENT),
    "many": lambda at: write(at / "many.curator", many(), INTENT, "gold", "first note"),
    "long": lambda at: write(
        at / f"{'a desk with a long name ' * 6}.curator",
        [line(f"{LONG_WORD} {n} " + "many words " * 900, LONG_WORD * 3, "Be brief. " * 200)
         for n in range(4)],
        LONG_SETS, LONG_WORD[:200], "a long note " * 200,
    ),
    "rich": lambda at: make_rich(at / "desk.curator"),
    "right-to-left": lambda at: write(
        at / "مكتب.curator",
        [line(f"{ARABIC} {n % 2}", f"قريبا {n % 2}", "كن موجزا") for n in range(6)],
        ARABIC_SETS, "ذهب", ARABIC,
    ),
}  # fmt: skip
"""What a window can be shown with, by state; each is made once for the whole run of a module."""

PAGE_IDS = [entry.page_id for entry in PAGES]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each module of this folder on one worker: its window is made once."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="module")
def projects(tmp_path_factory) -> dict[str, Path]:
    """Every project of the table, made once."""
    return {name: make(tmp_path_factory.mktemp(name)) for name, make in PROJECTS.items()}


@pytest.fixture(scope="module", autouse=True)
def _own_state(tmp_path_factory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CURATOR_STATE", "CURATOR_CONFIG"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        patch.delenv("OPENAI_API_KEY", raising=False)
        without_trainer(patch)
        yield


@pytest.fixture(autouse=True)
def _fresh_settings() -> None:
    """The window outlives a test here, and its settings with it."""


@pytest.fixture(autouse=True)
def _no_window_survives() -> None:
    """The window outlives a test here."""


class Desk:
    """The window, and the way from one state to the next."""

    def __init__(self, curator: Curator, projects: dict[str, Path], folder: Path) -> None:
        self.curator = curator
        self.window = curator.window
        self.state = "none"
        self._projects = projects
        self._folder = folder
        self._holder: Project | None = None

    def enter(self, state: str, qtbot) -> None:
        """Bring the window into a state; staying in one costs nothing."""
        if state == self.state:
            self._calm(qtbot)
            return
        self.leave()
        self.state = state
        if state != "none":
            self.open(state, qtbot)
        self._calm(qtbot)

    def open(self, state: str, qtbot) -> None:
        """Open a copy of a state's project and wait until the window shows it."""
        with qtbot.waitSignal(self.curator.session.project_changed, timeout=20_000):
            self.opening(state)

    def opening(self, state: str) -> None:
        """Begin to open a copy of a state's project, held by somebody else where the state says so."""
        name = "many" if state == "read-only" else state
        place = self._folder / state
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        path = Path(shutil.copy(self._projects[name], place))
        if state == "read-only":
            self._holder = Project.open(path, author="ben")
        self.curator.session.open_project(path)

    def leave(self) -> None:
        """Close everything that is open."""
        self.close_boxes()
        self.curator.session.close_project()
        if self._holder is not None:
            self._holder.close()
            self._holder = None
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        self.state = "none"

    def close_boxes(self) -> None:
        """Close what opened over the window."""
        for box in QApplication.topLevelWidgets():
            if isinstance(box, QDialog) and box.isVisible():
                box.close()
                self.window.activateWindow()

    def page(self, page_id: str, qtbot) -> Page:
        """Go to a page and wait until it shows all it has."""
        page = self.curator.show_page(page_id)
        self.settle(qtbot)
        return page

    def settle(self, qtbot) -> None:
        """Wait until nothing is at work, and what came last has its place."""
        qtbot.waitUntil(lambda: not self.curator.jobs.running(), timeout=20_000)
        QTest.qWait(1)
        qtbot.waitUntil(lambda: not self.curator.jobs.running(), timeout=20_000)
        for _ in range(3):
            QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)

    def _calm(self, qtbot) -> None:
        self.window.activateWindow()
        qtbot.waitUntil(lambda: QApplication.activeWindow() is self.window)
        if self.curator.session.project is not None:
            qtbot.waitUntil(lambda: len(self.curator.pages) > len(PAGES), timeout=20_000)
        self.settle(qtbot)


@pytest.fixture(scope="module")
def module_desk(qapp, projects, tmp_path_factory) -> Iterator[Desk]:
    """The one window of a module."""
    make_application(["curator"])
    QSettings().clear()
    made = Curator(qapp)
    made.window.resize(1500, 1000)
    made.window.show()
    desk = Desk(made, projects, tmp_path_factory.mktemp("desk"))
    yield desk
    desk.leave()
    made.window.close()
    made.window.deleteLater()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QSettings().clear()


@pytest.fixture
def desk(module_desk, qtbot) -> Desk:
    """The window of the module, without what an earlier test was told."""
    module_desk.curator.window.toaster.clear()
    return module_desk


@pytest.fixture(scope="module")
def server() -> Iterator[ProtocolServer]:
    """A service that answers, for as long as the window lives."""
    with pytest.MonkeyPatch.context() as patch, answering(patch) as running:
        yield running


@pytest.fixture
def whole(desk, server, qtbot) -> Curator:
    """The window with something on every page, for laws that change nothing in the project."""
    desk.enter("rich", qtbot)
    return desk.curator
