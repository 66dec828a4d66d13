"""The Split and export page: numbers before and after, one button, the result, and what stops it."""

import json
from types import SimpleNamespace

import pytest

from curator.app.pages.export.numbers import in_bytes
from curator.dataset import ContentPatch, Conversation, Edit, Message
from curator.project.labels import annotation_patch
from curator.project.store.project import Project
from tests.app.conftest import open_in


def line(number: int) -> str:
    return Conversation.of(
        [Message.of("user", f"Question {number}"), Message.of("assistant", f"Answer {number}")]
    ).to_json()


@pytest.fixture
def page(curator, tmp_path, qtbot):
    path = tmp_path / "desk.curator"
    with Project.create(path, "anna") as project:
        ids = project.new_conversation_ids(20)
        patches = tuple(ContentPatch(id_, None, line(id_)) for id_ in ids)
        project.apply(Edit("Write", "anna", patches))
        values = ["card", "transfer"] * 10
        patch = annotation_patch(project, ids, "label:Intent", values, annotator="anna", each=True)
        sets = [{"name": "Intent", "kind": "choice", "values": ["card", "transfer"], "help": ""}]
        from curator.dataset import SettingPatch

        project.apply(Edit("Label", "anna", (SettingPatch("label_sets", None, sets), patch)))
    open_in(curator, path, qtbot)
    page = curator.show_page("export")
    idle(page, qtbot)
    return page


def idle(page, qtbot):
    """Wait until nothing is worked out any more."""
    qtbot.waitUntil(lambda: not page._soon.isActive() and not page.jobs.running(), timeout=20_000)


def splits(page):
    project = page.session.project
    return [project.annotation(id_).split for id_ in project.ids().tolist()]


def test_the_numbers_stand_there_before_anything_is_done(page):
    assert page.split.table.texts() == [
        ["train", "0", "16", "80.0%", page.split.table.texts()[0][4]],
        ["validation", "0", "2", "10.0%", page.split.table.texts()[1][4]],
        ["test", "0", "2", "10.0%", page.split.table.texts()[2][4]],
        ["unassigned", "20", "0", "0.0%", "0"],
    ]
    assert page.export.summary.text() == "20 conversations: 20 train"
    assert "Nothing is split yet" in page.export.notes.text()
    assert set(splits(page)) == {""}


def test_assigning_is_one_step_that_undo_takes_back(curator, page, qtbot):
    curator.menus.run("split.assign")
    idle(page, qtbot)
    assert splits(page).count("train") == 16
    assert page.split.table.texts()[0][:3] == ["train", "16", "16"]
    assert not page.split.assign.isEnabled()
    assert "assigned already" in page.split.verdict.text()
    curator.menus.run("edit.undo")
    idle(page, qtbot)
    assert set(splits(page)) == {""}


def test_an_impossible_plan_says_why(page, qtbot):
    page.split.parts[0].setValue(50)
    idle(page, qtbot)
    assert "add up to 0.7" in page.split.problem.text()
    assert not page.split.assign.isEnabled()
    page.split.parts[1].setValue(40)
    idle(page, qtbot)
    assert page.split.problem.text() == ""
    assert page.split.table.texts()[1][2] == "8"


def test_counts_and_labels(page, qtbot):
    page.split.counts.click()
    page.split.parts[1].setValue(4)
    page.split.parts[2].setValue(6)
    page.split.stratify.setCurrentIndex(page.split.stratify.findData("Intent"))
    idle(page, qtbot)
    assert [row[2] for row in page.split.table.texts()][:3] == ["10", "4", "6"]
    assert page.split.labels.texts() == [
        ["card", "50%", "50%", "50%"],
        ["transfer", "50%", "50%", "50%"],
    ]


def test_assigning_anew_follows_another_seed(curator, page, qtbot):
    curator.menus.run("split.assign")
    idle(page, qtbot)
    before = splits(page)
    page.split.seed.setValue(5)
    idle(page, qtbot)
    page.split.fresh.click()
    idle(page, qtbot)
    assert splits(page) != before
    assert splits(page).count("test") == 2


def test_one_button_exports_and_shows_the_result(curator, page, qtbot, tmp_path):
    curator.menus.run("split.assign")
    idle(page, qtbot)
    curator.menus.run("export.run")
    idle(page, qtbot)
    folder = tmp_path / "desk export"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [file["rows"] for file in manifest["files"]] == [16, 2, 2]
    assert page.result.isVisible()
    assert page.result.table.texts()[0][:2] == ["train.jsonl", "16"]
    assert page.result._state.text == "re-read and proved"
    with qtbot.waitSignal(page.open_requested) as asked:
        page.result.train.click()
    assert (asked.args[0].page, asked.args[0].detail) == ("train", str(folder))


def test_another_format_is_chosen_and_says_what_it_does_not_keep(curator, page, qtbot, tmp_path):
    project = page.session.project
    masked = json.loads(line(1))
    masked["messages"].insert(1, {"role": "assistant", "content": "No.", "weight": 0})
    page.session.push(
        Edit("Mask", "anna", (ContentPatch(1, project.content(1), json.dumps(masked)),))
    )
    idle(page, qtbot)
    names = [page.export.format.itemData(row) for row in range(page.export.format.count())]
    assert names == ["openai", "sharegpt"]
    page.export.format.setCurrentIndex(1)
    idle(page, qtbot)
    curator.menus.run("export.run")
    idle(page, qtbot)
    first = (tmp_path / "desk export" / "train.jsonl").read_text().splitlines()[1]
    assert json.loads(first)["conversations"][0] == {"from": "human", "value": "Question 2"}
    assert "not kept: weights of 1 conversation" in page.result._left_out.text()
    assert not page.result.train.isEnabled()
    assert "OpenAI chat" in page.result.train.toolTip()
    train = curator.show_page("train")
    qtbot.waitUntil(lambda: not train.jobs.running(), timeout=20_000)
    assert train.composer.export is None


def test_the_last_export_is_shown_when_the_project_opens_again(curator, page, qtbot, tmp_path):
    curator.menus.run("export.run")
    idle(page, qtbot)
    open_in(curator, page.session.project.path, qtbot)
    page = curator.show_page("export")
    page._read()
    idle(page, qtbot)
    assert page.result._state.text == "from before"
    curator.menus.run("export.verify")
    idle(page, qtbot)
    assert page.result._state.text == "verified"
    (tmp_path / "desk export/train.jsonl").write_bytes(b"{}\n")
    curator.menus.run("export.verify")
    idle(page, qtbot)
    assert page.result._state.text == "damaged"


def test_errors_block_until_they_are_left_out(curator, page, qtbot):
    project = page.session.project
    broken = '{"messages":[{"role":"user","content":"no answer"}]}'
    page.session.push(Edit("break", "anna", (ContentPatch(3, project.content(3), broken),)))
    idle(page, qtbot)
    assert not page.export.export.isEnabled()
    assert "export.run" not in page.slots()
    page.export.errors.setChecked(True)
    idle(page, qtbot)
    assert page.export.left_out.text() == "Left out: 1 with errors."
    assert page.export.export.isEnabled()


def test_a_filter_that_is_not_understood_says_so(page, qtbot):
    page.export.query.setText("status:nonsense")
    page.export.query.editingFinished.emit()
    idle(page, qtbot)
    assert "was not understood" in page.export.summary.text()
    assert not page.export.export.isEnabled()


def test_a_refused_folder_is_told(curator, page, qtbot, tmp_path):
    told = []
    page.session.notice.connect(told.append)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/cat.png").write_bytes(b"x")
    page.export.folder.setText(str(tmp_path / "photos"))
    curator.menus.run("export.run")
    idle(page, qtbot)
    page.export.folder.setText(" ")
    curator.menus.run("export.run")
    assert ["is no earlier export" in told[0].text, told[1].text] == [
        True,
        "Choose a folder to export into.",
    ]


def test_an_empty_project_says_what_to_do(curator, page, qtbot, tmp_path):
    Project.create(tmp_path / "empty.curator").close()
    open_in(curator, tmp_path / "empty.curator", qtbot)
    page = curator.show_page("export")
    page._read()
    idle(page, qtbot)
    assert page._stack.currentWidget() is page._empty
    assert page.slots() == {}


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_500_000_000, "2.5 GB")]
)
def test_sizes_in_words(size, words):
    assert in_bytes(size) == words


def test_prompts_in_several_splits_can_be_gone_through(page, qtbot):
    page._proposal = SimpleNamespace(before=SimpleNamespace(leaks=[(3, 7), (4, 9)]))
    with qtbot.waitSignal(page.open_requested) as asked:
        page.split.leaks.click()
    assert (asked.args[0].page, asked.args[0].ids) == ("label", (3, 7, 4, 9))


def test_shares_that_groups_forbid_are_explained(curator, page, qtbot, tmp_path):
    path = tmp_path / "tied.curator"
    with Project.create(path, "anna") as project:
        ids = project.new_conversation_ids(30)
        texts = [
            Conversation.of([Message.of("user", "Hello"), Message.of("assistant", f"Day {n}.")])
            for n in ids
        ]
        patches = [ContentPatch(i, None, t.to_json()) for i, t in zip(ids, texts, strict=True)]
        project.apply(Edit("Write", "anna", tuple(patches)))
    assert page.split.obstacle.isHidden()
    open_in(curator, path, qtbot)
    page = curator.show_page("export")
    idle(page, qtbot)
    said = page.split.obstacle.text()
    assert not page.split.obstacle.isHidden()
    assert "The largest has 30 of 30 conversations, tied by equal prompts" in said
    assert "the first of them 1, 2, 3" in said
