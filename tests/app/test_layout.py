"""At every size and scale nothing is cut, lies outside its parent or over another text."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from curator.app.pages.train.composer import Composer
from curator.app.pages.train.plan_card import PlanCard
from curator.app.widgets.text import Elided, Plain, runs_right_to_left
from curator.curate.splits import SplitPlan
from curator.dataset.progress import never_cancelled, no_progress
from curator.dataset.resources import resource
from curator.project import duplicate_tables, duplicates, splits
from curator.project.exports import exporting
from curator.project.exports.selection import ExportSettings
from curator.project.imports.importing import import_files
from curator.project.label_files import import_labels
from curator.project.store.project import Project
from curator.tune.jobs.auto_settings import Autos
from curator.tune.jobs.table import Job, JobTable
from curator.tune.services.port import Checkpoint, Event, State
from curator.tune.targets.profiles import find_target
from tests.app.layout_faults import faults

SCREEN = {"name": "one", "x": 0, "y": 0, "width": 2560, "height": 1440, "logicalDpi": 96,
          "logicalBaseDpi": 96, "dpr": 1}  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """The sample as it looks after an hour: labelled, searched, split, exported, trained."""
    folder = tmp_path_factory.mktemp("desk")
    path = folder / "support desk with a rather long name.curator"
    with closing(Project.create(path, "anna")) as project:
        sample = resource("samples", "support_desk.jsonl")
        import_files(project, (sample,), progress=no_progress, cancelled=never_cancelled)
        with project.reader() as reader:
            labels = resource("samples", "support_desk.labels.jsonl")
            edit = import_labels(reader, labels, "anna").edit
        project.apply(edit)
        duplicate_tables.keep(project, duplicates.find(project, duplicates.Search("near", 0.8)))
        proposal = splits.propose(project, SplitPlan(stratify="intent"), author="anna")
        project.apply(proposal.edit)
        report = exporting.export(project, folder / "files", ExportSettings(skip_errors=True))
        exporting.remember(project, report)
    state = folder / "state"
    with closing(JobTable(state / "jobs.sqlite")) as table:
        for number, end in enumerate((State.SUCCEEDED, State.FAILED)):
            token = f"job{number}"
            table.add(
                Job(token, "openai", "https://example.com", "gpt-4.1-mini-2025-04-14", job=token,
                    project=str(path), rows=150, status=end, checkpoint=f"ft:gpt-4.1-mini:desk:{number}",
                    error="The file has rows that are longer than the base model reads.")
            )  # fmt: skip
            steps = [
                Event(f"e{n}", float(n), "info", f"Step {n}", "metrics",
                      {"step": n, "train_loss": 4 / n, "valid_loss": 4.8 + abs(n - 5) / 9})
                for n in range(1, 30)
            ]  # fmt: skip
            table.add_events(token, steps)
            table.set_checkpoints(token, [Checkpoint("c", 1.0, f"ft:step-{number}", 10, {})])
    return path


# A walk over all pages at several sizes takes one to three minutes of a core.
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("scale", "sizes"),
    [
        ("1", ("1024x640", "1280x800", "1440x900", "2560x1440")),
        ("1.5", ("1024x640", "1280x720")),
        ("2", ("1024x640", "1280x720")),
    ],
)
def test_nothing_is_cut_or_lies_over_another(desk, tmp_path, scale, sizes):
    screen = tmp_path / "screen.json"
    screen.write_text(json.dumps({"screens": [SCREEN]}), "utf-8")
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": f"offscreen:configfile={screen}",
        "QT_SCALE_FACTOR": scale,
        "XDG_CONFIG_HOME": str(tmp_path),
        "CURATOR_CONFIG": str(tmp_path),
        "CURATOR_STATE": str(desk.parent / "state"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.app.layout_faults", str(desk), *sizes],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert not found, json.dumps(found, indent=1)


def test_what_lies_wrong_is_found(qtbot):
    """The walk itself finds a cut text, a widget outside its parent, and texts over texts."""
    box = QWidget()
    qtbot.addWidget(box)
    box.resize(300, 200)
    cut, outside, over, under = (
        QLabel(text, box) for text in ("A cut text", "Out", "Over", "Under")
    )
    cut.setGeometry(0, 0, 20, 20)
    outside.setGeometry(280, 50, 60, 20)
    over.setGeometry(0, 100, 60, 20)
    under.setGeometry(30, 105, 60, 20)
    box.show()
    found = "\n".join(faults(box))
    assert "'A cut text'" in found
    assert "lies outside" in found
    assert "overlap" in found
    good = QWidget()
    qtbot.addWidget(good)
    column = QVBoxLayout(good)
    column.addWidget(QLabel("A whole text", good))
    column.addWidget(QPushButton("Press", good))
    good.show()
    assert faults(good) == []


class Painted(QObject):
    """Notes every wrapped text that is painted in less room than it needs."""

    def __init__(self) -> None:
        super().__init__()
        self.cut: list[str] = []

    def eventFilter(self, label, event):
        """Look at a label when it is painted."""
        if event.type() == QEvent.Type.Paint and label.height() < label.heightForWidth(
            label.width()
        ):
            self.cut.append(label.text())
        return False


@pytest.mark.parametrize("size", [(644, 440), (736, 440), (900, 700)])
@pytest.mark.parametrize("target", ["this-computer", "openai", "together"])
def test_words_that_arrive_late_are_never_painted_in_too_little_room(qtbot, size, target):
    """What a setting left open will be is known a while after the form is shown."""
    composer, card = Composer(), PlanCard()
    qtbot.addWidget(composer)
    composer.set_beside(card)
    composer.resize(*size)
    composer.show_target(find_target(target))
    composer.show()
    qtbot.wait(20)
    watch = Painted()
    summary = composer.settings._summary
    summary.installEventFilter(watch)
    names = [setting.name for setting in find_target(target).settings("sft")]
    for words in (
        "3",
        "a rather long value of this setting",
        "1",
        "x",
        "long words again, and more",
    ):
        found = Autos(dict.fromkeys(names, words), frozenset(names))
        composer.settings.show_autos(found)
        qtbot.waitUntil(lambda: summary.height() >= summary.heightForWidth(summary.width()))
        qtbot.wait(20)
        inside = composer.widget()
        assert composer.settings.geometry().bottom() < inside.height()
        assert composer.verticalScrollBar().maximum() == max(
            0, inside.height() - composer.viewport().height()
        )
    assert watch.cut == []


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Where is my card?", False), ("שלום, world", True), ("2026: مرحبا", True), ("", False),
        ("Hello مرحبا", False), ("123 …", False), ("\u200b؟ لماذا", True), ("日本語", False),
    ],
)  # fmt: skip
def test_titles_run_the_way_they_are_read(qtbot, text, right):
    assert runs_right_to_left(text) == right
    for kind in (Plain, Elided):
        label = kind("", None)
        qtbot.addWidget(label)
        label.setText(text)
        ways = Qt.LayoutDirection
        assert label.layoutDirection() == (ways.RightToLeft if right else ways.LeftToRight)


def test_a_title_of_the_table_begins_at_the_side_it_is_read_from(opened, qtbot):
    """An Arabic title is painted at the right of its cell, a Latin one at the left."""
    from curator.app.tables.grid import Column, GridView, Table

    words = ("مرحبا بكم", "Good morning")
    view = GridView("Titles")
    qtbot.addWidget(view)
    view.set_table(Table((Column("Title", lambda row: words[row], stretch=True),), view))
    view.table().set_rows(range(2))
    view.resize(600, 120)
    view.show()
    picture = view.viewport().grab().toImage()

    def inked(row: int) -> list[int]:
        box = view.visualRect(view.model().index(row, 0))
        ground = picture.pixelColor(box.center().x(), box.top() + 2)
        return [
            x
            for x in range(box.left() + 8, box.right() - 8)
            if any(
                picture.pixelColor(x, y) != ground for y in range(box.top() + 4, box.bottom() - 4)
            )
        ]

    arabic, latin = inked(0), inked(1)
    assert min(arabic) > 300
    assert max(latin) < 300
