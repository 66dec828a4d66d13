"""The ways in: import makes a project beside the file, twice adds nothing, rejects are listed."""

import json
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel

from curator.app.dialogs.import_report import ImportReportDialog
from curator.app.session.file_actions import FileDialogs, free_name


class Answers(FileDialogs):
    """Stands in for the system's dialogs."""

    def __init__(self, *paths: Path) -> None:
        self.paths = paths

    def open_project(self, *_):
        return self.paths[0]

    def new_project(self, *_):
        return self.paths[0]

    def files(self, *_):
        return self.paths


@pytest.fixture
def lines(tmp_path) -> Path:
    path = tmp_path / "talks.jsonl"
    rows = [
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": f"Hi {n}"},
                    {"role": "assistant", "content": "Yes"},
                ]
            }
        )
        for n in range(5)
    ]
    path.write_text("\n".join([*rows, "{broken", '{"messages": []}']) + "\n")
    return path


def rows_shown(curator) -> int:
    return 0 if curator.session.index is None else len(curator.session.index)


def test_an_import_makes_a_project_beside_the_file(curator, lines, qtbot):
    curator.file_actions.file_dialogs = Answers(lines)
    curator.menus.run("file.import")
    qtbot.waitUntil(lambda: rows_shown(curator) == 5, timeout=30_000)
    assert curator.session.project.path == lines.with_suffix(".curator")
    assert lines.read_text().count("\n") == 7
    notice = curator.window.toaster.notices()[-1]
    assert notice.text == "5 imported · 2 left out"
    notice.action()
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, ImportReportDialog)
    table = dialog.grid.table()
    assert table.rowCount() == 2
    shown = [table.data(table.index(0, column)) for column in range(4)]
    assert shown[:3] == ["talks.jsonl", "line 6", "F01"]
    assert shown[3]
    dialog.close()


def test_a_file_that_cannot_be_read_is_named_and_the_others_get_in(curator, lines, tmp_path, qtbot):
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,2\n")
    whole = tmp_path / "whole.jsonl"
    whole.write_text(lines.read_text().splitlines()[0] + "\n")
    curator.file_actions.take((whole, table, tmp_path))
    qtbot.waitUntil(lambda: rows_shown(curator) == 1, timeout=30_000)
    qtbot.waitUntil(lambda: bool(curator.window.toaster.notices()), timeout=30_000)
    notice = curator.window.toaster.notices()[-1]
    assert notice.text == "1 imported · 2 files cannot be read"
    notice.action()
    dialog = QApplication.activeModalWidget()
    said = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert "table.csv looks like a table (CSV)" in said
    assert f"{tmp_path.name} cannot be read: it is a folder" in said
    dialog.close()


def test_elements_of_an_array_are_called_elements(curator, lines, tmp_path, qtbot):
    rows = [json.loads(line) for line in lines.read_text().splitlines()[:2]]
    array = tmp_path / "array.json"
    array.write_text("[\n" + ",\n".join([json.dumps(rows[0]), "7", json.dumps(rows[1])]) + "\n]")
    curator.file_actions.take((array,))
    qtbot.waitUntil(lambda: rows_shown(curator) == 2, timeout=30_000)
    qtbot.waitUntil(lambda: bool(curator.window.toaster.notices()), timeout=30_000)
    curator.window.toaster.notices()[-1].action()
    dialog = QApplication.activeModalWidget()
    table = dialog.grid.table()
    shown = [table.data(table.index(0, column)) for column in range(4)]
    assert shown[:3] == ["array.json", "element 2 (line 3)", "F02"]
    assert shown[3].startswith("This element is a number")
    dialog.close()


def test_a_dropped_folder_is_no_file(curator, tmp_path, qtbot):
    curator.file_actions.take((tmp_path,))
    qtbot.waitUntil(lambda: bool(curator.window.toaster.notices()), timeout=30_000)
    assert f"{tmp_path.name} is no file" in curator.window.toaster.notices()[-1].text
    assert not curator.jobs.running()


def test_the_same_file_twice_adds_nothing(curator, lines, qtbot):
    curator.file_actions.take((lines,))
    qtbot.waitUntil(lambda: rows_shown(curator) == 5, timeout=30_000)
    qtbot.waitUntil(lambda: not curator.jobs.running(), timeout=30_000)
    curator.file_actions.take((lines,))
    qtbot.waitUntil(
        lambda: any("5 already there" in n.text for n in curator.window.toaster.notices()),
        timeout=30_000,
    )
    qtbot.waitUntil(lambda: not curator.jobs.running(), timeout=30_000)
    assert rows_shown(curator) == 5


def test_an_unreadable_file_is_told(curator, tmp_path, qtbot):
    with qtbot.waitSignal(curator.session.notice, timeout=30_000) as caught:
        curator.file_actions.bring((tmp_path / "absent.jsonl",))
    assert caught.args[0].level == "error"
    assert "absent.jsonl" in caught.args[0].text
    qtbot.waitUntil(lambda: not curator.jobs.running(), timeout=30_000)


def test_a_new_project_gets_its_ending(curator, tmp_path, qtbot):
    curator.file_actions.file_dialogs = Answers(tmp_path / "bank")
    with qtbot.waitSignal(curator.session.project_changed, timeout=30_000):
        curator.menus.run("file.new")
    assert curator.session.project.path.name == "bank.curator"


def test_the_sample_is_made_once_and_then_opened(curator, tmp_path, monkeypatch, qtbot):
    monkeypatch.setattr("curator.app.session.file_actions.documents", lambda: tmp_path)
    curator.menus.run("file.sample")
    qtbot.waitUntil(lambda: rows_shown(curator) > 100, timeout=60_000)
    qtbot.waitUntil(lambda: not curator.jobs.running(), timeout=60_000)
    before = rows_shown(curator)
    assert {each["name"] for each in curator.session.setting("label_sets", [])} >= {"intent"}
    curator.menus.run("file.close")
    curator.menus.run("file.sample")
    qtbot.waitUntil(lambda: rows_shown(curator) == before, timeout=30_000)
    qtbot.waitUntil(lambda: not curator.jobs.running(), timeout=60_000)


def test_a_free_name_is_not_taken(tmp_path):
    taken = tmp_path / "a.curator"
    taken.touch()
    assert free_name(taken).name == "a 2.curator"
