"""Labels in and out as files, from the window: what is refused is listed, names are plain."""

import json

from PySide6.QtWidgets import QApplication

from curator.app.dialogs.refused_lines import RefusedLinesDialog
from curator.app.widgets.tags_field import parse_tags
from tests.app.session.test_file_actions import Answers


def talks(tmp_path, *texts):
    path = tmp_path / "talks.jsonl"
    rows = [
        {"messages": [{"role": "user", "content": t}, {"role": "assistant", "content": "Yes"}]}
        for t in texts
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def notices(curator):
    return [notice.text for notice in curator.window.toaster.notices()]


def test_lines_that_are_refused_are_listed_with_their_reasons(curator, tmp_path, qtbot):
    curator.file_actions.take((talks(tmp_path, "a", "b"),))
    qtbot.waitUntil(lambda: curator.session.index is not None, timeout=30_000)
    qtbot.waitUntil(lambda: len(curator.session.index) == 2, timeout=30_000)
    labels = tmp_path / "some.labels.jsonl"
    lines = ({"source_line": 1, "tags": ["x "]}, {"source_line": 9, "tags": ["y"]})
    labels.write_bytes("".join(f"{json.dumps(each)}\n" for each in lines).encode("utf-16"))
    curator.file_actions.file_dialogs = Answers(labels)
    curator.menus.run("label.import")
    said = "1 conversation labelled · 1 line refused"
    qtbot.waitUntil(lambda: said in notices(curator), timeout=30_000)
    assert curator.session.project.annotation(1).tags == ("x",)
    curator.window.toaster.notices()[-1].action()
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, RefusedLinesDialog)
    table = dialog.grid.table()
    shown = [table.data(table.index(0, column)) for column in range(2)]
    assert shown == ["2", "Line 9 is not in this project."]
    dialog.close()


def test_tags_are_plain_names():
    assert parse_tags(" Gebu\u0308hr ,Geb\u00fchr,, \t, b") == ("Geb\u00fchr", "b")
