import json
import os
import stat
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.curate.splits import SplitPlan
from curator.dataset import Conversation
from curator.dataset.errors import Cancelled, CuratorError, GateFailed, ProjectError, WrongUse
from curator.project import splits
from curator.project.exports import exporting
from curator.project.exports.exporting import export
from curator.project.exports.selection import ExportSettings, select
from curator.project.exports.verify import verify
from curator.project.imports.importing import import_files
from curator.project.store.project import Project
from curator.project.store.stored_texts import text_hash
from tests.project.projects import annotate, edit, import_lines, line


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "bank.curator", author="ann") as project:
        yield project


@pytest.fixture
def filled(project):
    import_lines(project, [line(f"Question {n}", f"Answer {n}") for n in range(20)])
    return project


def split_by_hand(project, ids, names):
    for name in set(names):
        chosen = [id_ for id_, n in zip(ids, names, strict=True) if n == name]
        annotate(project, chosen, "split", name)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_unedited_lines_are_exported_byte_for_byte(project, tmp_path):
    odd = [
        '{ "messages" : [ {"content":"a\\u00e9\\/", "role":"user"}, {"role":"assistant","content":"b"} ] }',
        '{"messages":[{"role":"user","content":"x\u2028y\u00a0z"},{"role":"assistant","content":"1e2"}]}',
    ]
    ids = import_lines(project, [*odd, line("to be edited")])
    edit(
        project,
        ids[2],
        '{"messages":[{"role":"user","content":"neu"},{"role":"assistant","content":"é"}]}',
    )
    report = export(project, tmp_path / "out")
    raw = (tmp_path / "out/train.jsonl").read_bytes()
    assert raw.split(b"\n")[:2] == [text.encode() for text in odd]
    assert json.loads(raw.split(b"\n")[2])["messages"][1]["content"] == "é"
    assert raw.endswith(b"}\n")
    assert report.files[0].sha256 == sha256(raw).hexdigest()


def test_objects_spread_over_lines_become_one_line(project, tmp_path):
    pretty = json.dumps(json.loads(line("Spread", "out")), indent=2).replace("\n", "\r\n")
    import_lines(project, [pretty])
    export(project, tmp_path / "out")
    raw = (tmp_path / "out/train.jsonl").read_bytes()
    assert raw.count(b"\n") == 1
    assert b"\r" not in raw
    assert json.loads(raw) == json.loads(pretty)


def test_splits_become_files_with_a_manifest_and_a_card(filled, tmp_path):
    filled.apply(splits.propose(filled, SplitPlan(0.7, 0.2, 0.1, seed=3)).edit)
    report = export(filled, tmp_path / "out")
    assert names_in(tmp_path / "out") == [
        "README.md",
        "manifest.json",
        "test.jsonl",
        "test.manifest.jsonl",
        "train.jsonl",
        "train.manifest.jsonl",
        "validation.jsonl",
        "validation.manifest.jsonl",
    ]
    assert [(f.split, f.rows) for f in report.files] == [
        ("train", 14),
        ("validation", 4),
        ("test", 2),
    ]
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["rows"] == 20
    assert manifest["seed"] == 3
    assert manifest["encoding"] == "o200k_base"
    assert manifest["split_plan"]["validation"] == 0.2
    lines = (tmp_path / "out/test.jsonl").read_text().splitlines()
    named = (tmp_path / "out/test.manifest.jsonl").read_text().splitlines()
    entries = [json.loads(each) for each in named]
    assert [e["line"] for e in entries] == [1, 2]
    for entry, text in zip(entries, lines, strict=True):
        assert filled.content(entry["conversation"]) == text
        assert (entry["source"], entry["source_line"]) == ("file.jsonl", entry["conversation"])
    card = (tmp_path / "out/README.md").read_text()
    assert "20 demonstration conversations" in card
    assert "Split 0.7 / 0.2 / 0.1 (train / validation / test), seed 3" in card


def test_the_answer_has_the_keys_scripts_rely_on(filled, tmp_path):
    report = export(filled, tmp_path / "out").to_json()
    assert report.keys() >= {"files", "left_out", "manifest", "losses"}
    assert report["files"][0].keys() == {"path", "split", "rows", "bytes", "sha256"}
    assert Path(report["files"][0]["path"]).is_file()
    assert Path(report["manifest"]).is_file()


def test_equal_state_and_settings_give_equal_bytes(filled, tmp_path):
    filled.apply(splits.propose(filled, SplitPlan(0.7, 0.2, 0.1, seed=3)).edit)
    export(filled, tmp_path / "a")
    annotate(filled, [1], "status", "accepted")
    filled.undo()
    export(filled, tmp_path / "b")
    export(filled, tmp_path / "b")
    for name in names_in(tmp_path / "a"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_status_decides_who_is_exported(filled, tmp_path):
    annotate(filled, [1, 2], "status", "rejected")
    annotate(filled, [3], "status", "skipped")
    annotate(filled, [4], "removed", {"reason": "exact duplicate of 5", "partner": 5})
    selection = select(filled, ExportSettings())
    assert selection.left_out == {"removed": 1, "rejected": 2, "skipped": 1}
    assert "Nothing is accepted yet" in selection.notes[0]
    annotate(filled, [5, 6], "status", "accepted")
    annotate(filled, [6], "flag", True)
    assert select(filled, ExportSettings()).ids.tolist() == [5, 6]
    assert select(filled, ExportSettings(hold_out_flagged=True)).ids.tolist() == [5]
    assert len(select(filled, ExportSettings(statuses="open")).ids) == 16
    report = export(filled, tmp_path / "out", ExportSettings(hold_out_flagged=True))
    assert report.left_out == {
        "removed": 1,
        "rejected": 2,
        "skipped": 1,
        "pending": 14,
        "flagged": 1,
    }


def test_unassigned_conversations(filled):
    assert select(filled, ExportSettings()).rows("train") == 20
    split_by_hand(filled, [1, 2, 3], ["train", "test", "test"])
    selection = select(filled, ExportSettings())
    assert selection.left_out == {"no split": 17}
    assert (selection.rows("train"), selection.rows("test")) == (1, 2)
    everything = select(filled, ExportSettings(unassigned="train"))
    assert (everything.rows("train"), everything.rows("test")) == (18, 2)


def test_a_filter_chooses(filled):
    selection = select(filled, ExportSettings(query='"Question 7"'))
    assert selection.ids.tolist() == [8]
    assert selection.left_out == {"filtered": 19}
    assert len(select(filled, ExportSettings(query="id:1..5")).ids) == 5
    with pytest.raises(WrongUse, match="was not understood"):
        select(filled, ExportSettings(query="status:nonsense"))


def test_errors_stop_the_export_and_are_listed(filled, tmp_path):
    bad = import_lines(
        filled,
        [
            '{"messages":[{"role":"user","content":"no answer"}]}',
            r'{"messages":[{"role":"user","content":"half \ud800"},{"role":"assistant","content":"b"}]}',
            '{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}],"id":7}',
        ],
    )
    with pytest.raises(GateFailed) as failure:
        export(filled, tmp_path / "out")
    assert "3 errors stop the export" in str(failure.value)
    assert f"S03 Unknown key: 1 (conversation {bad[2]})" in str(failure.value)
    assert f"F10 Broken character: 1 (conversation {bad[1]})" in str(failure.value)
    assert (
        names_in(tmp_path) == ["bank.curator", "bank.curator-shm", "bank.curator-wal"]
        or not (tmp_path / "out").exists()
    )
    report = export(filled, tmp_path / "out", ExportSettings(skip_errors=True))
    assert report.left_out == {"errors": 3}
    assert report.rows == 20
    assert verify(tmp_path / "out").ok


def test_a_prompt_in_two_splits_stops_the_export(project, tmp_path):
    ids = import_lines(project, [line("Same", "a"), line("Same", "b"), line("Other", "c")])
    split_by_hand(project, ids, ["train", "test", "test"])
    with pytest.raises(GateFailed, match=r"D05 Same prompt in two splits: 1 \(conversation 2\)"):
        export(project, tmp_path / "out")
    report = export(project, tmp_path / "out", ExportSettings(skip_errors=True))
    assert report.left_out == {"prompt in another split": 1}


def test_nothing_to_export_says_why(project, tmp_path):
    with pytest.raises(GateFailed, match="the project is empty"):
        export(project, tmp_path / "out")
    annotate(project, import_lines(project, [line("a")]), "status", "rejected")
    with pytest.raises(GateFailed, match="1 rejected"):
        export(project, tmp_path / "out")


def test_errors_the_project_does_not_know_of_are_caught_by_rereading(filled, tmp_path):
    faulty = '{"messages":[{"role":"user","content":"x"}]}'
    with filled.writing() as connection:
        connection.execute(
            "UPDATE conversation SET content = ?, text_hash = ? WHERE id = 3",
            (faulty, text_hash(faulty.encode())),
        )
    with pytest.raises(GateFailed, match="conversation 3: "):
        export(filled, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_earlier_export_is_replaced_whole_and_a_foreign_folder_refused(filled, tmp_path):
    split_by_hand(filled, [1, 2], ["test", "train"])
    export(filled, tmp_path / "out", ExportSettings(unassigned="train"))
    annotate(filled, [1], "split", "")
    export(filled, tmp_path / "out")
    assert "test.jsonl" not in names_in(tmp_path / "out")
    other = tmp_path / "photos"
    other.mkdir()
    (other / "cat.png").write_bytes(b"x")
    with pytest.raises(WrongUse, match="is no earlier export"):
        export(filled, other)
    with pytest.raises(WrongUse, match="is a file"):
        export(filled, other / "cat.png")
    (tmp_path / "empty").mkdir()
    assert export(filled, tmp_path / "empty").rows == 1
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []


@pytest.mark.parametrize("manifest", ['{"name": "a web page"}', "[]", "no json"])
def test_another_programs_manifest_does_not_make_a_folder_an_export(filled, tmp_path, manifest):
    other = tmp_path / "extension"
    other.mkdir()
    (other / "manifest.json").write_text(manifest)
    with pytest.raises(WrongUse, match="is no earlier export"):
        export(filled, other)
    assert names_in(other) == ["manifest.json"]


def test_what_somebody_put_beside_an_earlier_export_is_not_deleted(filled, tmp_path):
    export(filled, tmp_path / "out")
    (tmp_path / "out/.DS_Store").write_bytes(b"")
    export(filled, tmp_path / "out")
    (tmp_path / "out/my notes.txt").write_text("dear")
    (tmp_path / "out/runs").mkdir()
    with pytest.raises(WrongUse, match=r"my notes\.txt, runs"):
        export(filled, tmp_path / "out")
    assert (tmp_path / "out/my notes.txt").read_text() == "dear"
    assert verify(tmp_path / "out").rows == 20


def test_leftovers_are_told_apart_by_the_whole_name(filled, tmp_path):
    (tmp_path / ".out1.partial-abcd-999999999").mkdir()
    export(filled, tmp_path / "out[1]")
    export(filled, tmp_path / "out?")
    assert (tmp_path / ".out1.partial-abcd-999999999").is_dir()


def test_a_system_without_exchange_replaces_in_two_steps(filled, tmp_path, monkeypatch):
    from curator.project.exports import atomic_folder

    export(filled, tmp_path / "out")
    monkeypatch.setattr(atomic_folder, "_exchange", lambda *_: False)
    annotate(filled, [1], "status", "accepted")
    assert export(filled, tmp_path / "out").rows == 1
    assert verify(tmp_path / "out").rows == 1
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []


def test_leftovers_of_a_killed_export_are_mended(filled, tmp_path):
    export(filled, tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / ".out.replaced-999999999")
    (tmp_path / ".out.partial-abcd-999999999").mkdir()
    with pytest.raises(GateFailed):
        export(filled, tmp_path / "out", ExportSettings(query="id:>1000"))
    export(filled, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []


def test_a_cancelled_export_leaves_nothing(filled, tmp_path):
    with pytest.raises(Cancelled):
        export(filled, tmp_path / "out", cancelled=lambda: True)
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []


def test_edits_made_meanwhile_do_not_mix_in(filled, tmp_path):
    def meddle(done, total, what):
        if what == "Writing":
            edit(filled, 1, line("Changed meanwhile"))

    export(filled, tmp_path / "out", progress=meddle)
    assert "Changed meanwhile" not in (tmp_path / "out/train.jsonl").read_text()


def test_an_export_is_remembered(filled, tmp_path):
    assert exporting.last_export(filled) is None
    report = export(filled, tmp_path / "out")
    exporting.remember(filled, report)
    assert exporting.last_export(filled)["folder"] == str(tmp_path / "out")
    assert exporting.last_export(filled)["files"] == report.to_json()["files"]


def test_an_edit_made_while_an_export_is_written_makes_it_old(filled, tmp_path):
    def meddle(done, total, what):
        if what == "Writing":
            time.sleep(0.005)
            edit(filled, 1, line("Changed meanwhile"))

    exporting.remember(filled, export(filled, tmp_path / "first"))
    assert not exporting.last_export(filled)["is_old"]
    exporting.remember(filled, export(filled, tmp_path / "second", progress=meddle))
    assert exporting.last_export(filled)["is_old"]


def test_an_export_imports_as_the_same_conversations(filled, tmp_path):
    annotate(filled, [2], "removed", {"reason": "test", "partner": None})
    edit(filled, 3, line("Edited by hand", "é\u2028"))
    export(filled, tmp_path / "out")
    with Project.create(tmp_path / "again.curator") as again:
        report = import_files(
            again,
            [tmp_path / "out/train.jsonl"],
            progress=lambda *_: None,
            cancelled=lambda: False,
        )
        assert (report.imported, report.rejected) == (19, 0)
        before = [filled.content(id_) for id_ in filled.ids().tolist() if id_ != 2]
        assert again.contents(again.ids().tolist()) == before
        export(again, tmp_path / "second")
    first = (tmp_path / "out/train.jsonl").read_bytes()
    assert (tmp_path / "second/train.jsonl").read_bytes() == first


_LIMITED = """
import resource, sys
from pathlib import Path
from curator.dataset.errors import CuratorError
from curator.project.store.project import Project
from curator.project.exports.exporting import export
project = Project.open(sys.argv[1], read_only=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
try:
    export(project, Path(sys.argv[2]))
except CuratorError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits")
def test_a_full_disk_is_told_and_leaves_nothing(filled, tmp_path):
    target = tmp_path / "there"
    target.mkdir()
    path = filled.path
    export(filled, target / "out")
    before = {name: (target / "out" / name).read_bytes() for name in names_in(target / "out")}
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(path), str(target / "out")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("ProjectError The export to"), done.stderr
    assert "Nothing was changed there" in done.stdout
    assert names_in(target) == ["out"]
    assert before == {n: (target / "out" / n).read_bytes() for n in names_in(target / "out")}


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_read_only_folder_is_told(filled, tmp_path):
    target = tmp_path / "there"
    target.mkdir()
    target.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(ProjectError, match="permission denied"):
        export(filled, target / "out")


def test_a_folder_that_cannot_be_made_is_told(filled, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(CuratorError, match=r"The export to .* failed"):
        export(filled, tmp_path / "file" / "out")


@pytest.mark.parametrize(
    ("more", "message"),
    [({"format": "alpaca"}, "openai"), ({"statuses": "all"}, "auto, accepted, open")],
)
def test_unknown_settings_are_refused(more, message):
    with pytest.raises(WrongUse, match=message):
        ExportSettings(**more)


TEXT = st.text(alphabet=st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=30).filter(
    lambda text: not text.isspace()
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8), st.data())
def test_what_is_exported_is_what_is_in_the_project(tmp_path_factory, turns, data):
    folder = tmp_path_factory.mktemp("round")
    with Project.create(folder / "p.curator") as project:
        ids = import_lines(project, [line(f"{n} {a}", b) for n, (a, b) in enumerate(turns)])
        changed = data.draw(st.sets(st.sampled_from(ids)))
        for id_ in changed:
            edit(project, id_, line(f"{id_} edited", "now so"))
        report = export(project, folder / "out", ExportSettings(skip_errors=True))
        lines = (folder / "out/train.jsonl").read_text("utf-8").split("\n")[:-1]
        exported = [Conversation.parse(text).fields for text in lines]
        stored = [project.conversation(id_).fields for id_ in ids]
        assert exported == [fields for fields in stored if fields in exported]
        assert report.rows + sum(report.left_out.values()) == len(ids)
