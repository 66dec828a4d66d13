"""A stored text leaves the project only as it was stored: whatever bit flips, no other text comes out."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.dataset import ContentPatch, Edit
from curator.dataset.errors import CuratorError, GateFailed, ProjectError
from curator.project import Project
from curator.project.checking import check_project, profiles_named
from curator.project.duplicates import Search, decide, find, removal
from curator.project.exports.exporting import export
from curator.project.exports.manifest import read
from curator.project.exports.verify import verify
from curator.project.fixing import fix_project
from curator.project.imports.importing import import_files
from curator.project.imports.reanalysis import reanalyse
from curator.project.queries.index import Index
from curator.project.queries.search import index_texts
from curator.project.store.stored_texts import DamagedText
from tests.project.building import line

ROWS = 40
HAND = ROWS + 1
"""The id of the one conversation that was written by hand."""

quiet = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def told(*_):
    return False


def text(number: int) -> str:
    return line(f"Grüße, Frage {number} zu Thema {number * 7}?", f"Antwort {number}. ☂ " * 9)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A project of imported rows and one that was written by hand."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "a.jsonl").write_text("".join(f"{text(n)}\n" for n in range(1, ROWS + 1)), "utf-8")
    with Project.create(folder / "a.curator") as project:
        import_files(project, [folder / "a.jsonl"], progress=told, cancelled=told)
        (id_,) = project.new_conversation_ids(1)
        project.apply(Edit("New", "ann", (ContentPatch(id_, None, text(HAND)),)))
        assert id_ == HAND
    return folder / "a.curator"


@pytest.fixture
def project(whole, tmp_path):
    copy = Path(shutil.copy(whole, tmp_path / "a.curator"))
    with Project.open(copy) as opened:
        yield opened


def flip(project: Project, id_: int, place: float, bit: int) -> None:
    """Flip one bit of a stored text, as a disk would: nothing else is touched."""
    with project.writing() as connection:
        ((content, segment, start, length),) = connection.execute(
            "SELECT CAST(content AS BLOB), segment, start, length FROM conversation WHERE id = ?",
            (id_,),
        )
        if content is not None:
            raw = bytearray(content)
            raw[int(place * len(raw))] ^= 1 << bit
            connection.execute(
                "UPDATE conversation SET content = CAST(? AS TEXT) WHERE id = ?", (bytes(raw), id_)
            )
            return
        ((blob,),) = connection.execute("SELECT bytes FROM segment WHERE id = ?", (segment,))
        raw = bytearray(blob)
        raw[start + int(place * length)] ^= 1 << bit
        connection.execute("UPDATE segment SET bytes = ? WHERE id = ?", (bytes(raw), segment))


damage = st.tuples(st.integers(1, HAND), st.floats(0, 1, exclude_max=True), st.integers(0, 7))


@quiet
@given(st.lists(damage, min_size=1, max_size=4, unique_by=lambda each: each[0]))
def test_a_flipped_bit_leaves_its_row_out_and_names_it(whole, tmp_path_factory, flips):
    folder = tmp_path_factory.mktemp("flipped")
    with Project.open(shutil.copy(whole, folder / "a.curator")) as project:
        for id_, place, bit in flips:
            flip(project, id_, place, bit)
        bad = sorted(id_ for id_, _, _ in flips)
        report = export(project, folder / "out")
        assert sorted(project.damaged) == bad
        assert sum(report.left_out.values()) == len(bad)
        assert all(str(id_) in " ".join(report.notes) for id_ in bad)
        good = [text(n) for n in range(1, HAND + 1) if n not in bad]
        assert (folder / "out" / "train.jsonl").read_text("utf-8").splitlines() == good
        assert verify(folder / "out").problems == ()
        assert read(folder / "out")["rows"] == len(good)
        entries = (folder / "out" / "train.manifest.jsonl").read_text().splitlines()
        assert [json.loads(e)["conversation"] for e in entries] == [
            n for n in range(1, HAND + 1) if n not in bad
        ]
        assert check_project(project).damaged == bad


@pytest.mark.parametrize("id_", [3, HAND])
def test_every_bulk_work_goes_on_without_the_damaged_row(project, id_):
    flip(project, id_, 0.5, 7)
    with pytest.raises(DamagedText, match=f"conversation {id_} is damaged"):
        project.content(id_)
    for work in (
        lambda: fix_project(project, author="ann"),
        lambda: index_texts(project, told, told),
        lambda: reanalyse(project, told, told),
        lambda: list(project.iterate()),
        lambda: project.titles(project.ids().tolist()),
        lambda: Index(project.path).close(),
    ):
        project.damaged.clear()
        work()
    assert len(list(project.iterate())) == HAND - 1
    assert project.row(id_).tokens > 0


def test_a_damaged_row_does_not_shift_the_lines_of_the_others(project):
    project.apply(Edit("E", "ann", (ContentPatch(20, text(20), line("No answer", None)),)))
    lines = {n: n for n in range(1, HAND)} | {HAND: None}
    flip(project, 3, 0.5, 7)
    told = check_project(project, profiles_named(("openai", "together"))).findings
    found = [each for each in told if each.conversation and not each.conversations]
    assert any(each.conversation == 20 for each in found)
    assert all(each.source_line == lines[each.conversation] for each in found)


@pytest.mark.parametrize("preset", ["exact", "near"])
def test_no_copy_is_taken_out_for_a_text_that_is_damaged(project, preset):
    ids = project.new_conversation_ids(2)
    for each in ids:
        project.apply(Edit("New", "ann", (ContentPatch(each, None, line("same", "same")),)))
    flip(project, ids[0], 0.5, 1)
    search = Search(preset, 0.8, "conversation", "w3")
    found = find(project, search)
    assert removal(project, search, decide(project, found, "accepted_first")) is None


def test_undo_heals_a_damaged_text(project):
    before, after = text(3), line("now", "now")
    project.apply(Edit("E", "ann", (ContentPatch(3, before, after),)))
    flip(project, 3, 0.5, 7)
    with pytest.raises(DamagedText):
        project.content(3)
    project.undo()
    assert project.content(3) == before
    project.redo()
    assert project.content(3) == after


def test_a_step_over_another_text_than_the_damaged_one_is_refused(project):
    flip(project, 3, 0.5, 7)
    with pytest.raises(DamagedText):
        project.apply(Edit("E", "ann", (ContentPatch(3, text(4), line("x")),)))


def test_a_damaged_former_text_is_a_sentence(project):
    before = line("a" * 3000)
    (id_,) = project.new_conversation_ids(1)
    project.apply(Edit("New", "ann", (ContentPatch(id_, None, before),)))
    project.apply(Edit("E", "ann", (ContentPatch(id_, before, line("b")),)))
    with project.writing() as connection:
        connection.execute("UPDATE patch SET before = x'01ffff' WHERE conversation = ?", (id_,))
    for read_it in (lambda: project.history(id_), project.undo):
        with pytest.raises(ProjectError, match="damaged"):
            read_it()


def test_a_project_whose_every_text_is_damaged_exports_nothing(project, tmp_path):
    with project.writing() as connection:
        connection.execute("UPDATE segment SET bytes = zeroblob(length(bytes))")
        connection.execute("UPDATE conversation SET content = 'x' WHERE content IS NOT NULL")
    with pytest.raises(GateFailed, match="nothing to export"):
        export(project, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@quiet
@given(st.data())
def test_whatever_happens_to_the_file_nothing_false_comes_out(whole, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("broken")
    raw = bytearray(whole.read_bytes())
    if data.draw(st.booleans(), "cut"):
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    for place in data.draw(st.lists(st.integers(0, max(len(raw) - 1, 0)), max_size=6)):
        if place < len(raw):
            raw[place] ^= 1 << data.draw(st.integers(0, 7))
    path = folder / "a.curator"
    path.write_bytes(raw)
    known = {text(n) for n in range(1, HAND + 1)}
    said = "All was read."
    try:
        with Project.open(path) as project:
            check_project(project)
            fix_project(project, author="ann", dry_run=True)
            find(project, Search("near", 0.8, "conversation", "w3"))
            project.undo()
            project.redo()
            project.journal()
            project.titles(project.ids().tolist())
            assert {each for _, each in project.iterate()} <= known
            export(project, folder / "out")
    except CuratorError as error:
        said = str(error)
    assert said.endswith(".")
    if (folder / "out").exists():
        assert verify(folder / "out").ok
        for file in (folder / "out").glob("*.jsonl"):
            if not file.name.endswith("manifest.jsonl"):
                assert set(file.read_text("utf-8").splitlines()) <= known
