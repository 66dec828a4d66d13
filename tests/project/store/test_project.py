import stat
import threading
from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.dataset import (
    AnnotationPatch,
    ContentPatch,
    Conversation,
    Edit,
    Finding,
    Message,
    Place,
    Removal,
    SettingPatch,
    Status,
)
from curator.dataset.errors import ProjectError, StaleEdit, WrongUse
from curator.project import Project, Reader
from curator.project.queries.index import Index
from curator.project.store.bulk import Bulk
from tests.project.building import annotate, import_lines, line, write

ODD_TEXTS = (
    "a\u00a0b",
    "one\u2028two\u2029three\u0085four",
    "line\r\nline\rline\n",
    "nul\0inside",
    "lone \ud800 and \udfff",
    "x" * 200_000,
    "\u05e9\u05dc\u05d5\u05dd \u200f\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u270a\U0001f3fd",
    "<|im_start|>system <|endoftext|>",
    "tab\tend \ufeff\ufffe",
)


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "a.curator", author="ann") as made:
        yield made


def dump(project: Reader) -> list[object]:
    """Return every row that edits change, times aside."""
    tables = {
        "conversation": "id, content, title, content_hash, tokens, errors, warnings",
        "annotation": "conversation, status, flag, split, removed, tags, note, metadata",
        "label": "conversation, label_set, annotator, value",
        "finding": "*",
        "setting": "*",
    }
    with project.reading() as connection:
        rows = {t: connection.execute(f"SELECT {c} FROM {t}").fetchall() for t, c in tables.items()}
    # An annotation whose every value is the default says the same as none.
    rows["annotation"] = [r for r in rows["annotation"] if any(r[1:])]
    return list(rows.items())


def test_a_new_project_is_empty_and_marked(tmp_path):
    path = tmp_path / "new.curator"
    Project.create(path).close()
    assert path.read_bytes()[68:72] == b"CURA"
    with Project.open(path) as project:
        assert project.count() == 0
        assert not project.read_only
        assert project.undo() is None
        assert project.redo() is None
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new.curator"]


def test_a_project_never_replaces_a_file(tmp_path):
    path = tmp_path / "a.curator"
    path.write_text("mine")
    with pytest.raises(ProjectError, match="exists already"):
        Project.create(path)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("text", ODD_TEXTS, ids=range(len(ODD_TEXTS)))
def test_odd_texts_come_back_unchanged(project, tmp_path, text):
    conversation = Conversation.of([Message.of("user", text), Message.of("assistant", text)])
    (by_hand,) = write(project, conversation.to_json())
    (imported,) = import_lines(project, [conversation.to_json()])
    project.apply(Edit("Note", "ann", (AnnotationPatch("note", (imported,), ("",), (text,)),)))
    project.close()
    with Project.open(tmp_path / "a.curator") as again:
        for id_ in (by_hand, imported):
            assert again.content(id_) == conversation.to_json()
            assert again.conversation(id_).messages[1].content == text
        assert again.annotation(imported).note == text
        assert again.history(by_hand)[0].after == conversation.to_json()


def test_an_imported_line_is_kept_byte_for_byte(project):
    texts = [
        '{ "messages" : [{"role":"user","content":"\\u00e9"}], "x": 1.0 }',
        line("b"),
        line("c"),
    ]
    ids = import_lines(project, texts)
    assert project.contents(ids) == texts
    assert list(project.iterate()) == list(zip(ids, texts, strict=True))
    assert project.contents([ids[2], ids[0]]) == [texts[2], texts[0]]


def test_many_rows_of_one_segment_come_in_the_order_asked(project):
    texts = [line(f"question {n}") for n in range(50)]
    ids = import_lines(project, texts)
    assert project.contents(ids[::-1]) == texts[::-1]
    assert project.titles(ids[10:12]) == ["question 10", "question 11"]


def test_an_edited_row_keeps_its_import_identity(project):
    (id_,) = import_lines(project, [line("before")])
    was = project.row(id_)
    project.apply(Edit("Edit", "ann", (ContentPatch(id_, line("before"), line("after")),)))
    now = project.row(id_)
    assert now.import_hash == was.import_hash
    assert now.content_hash != was.content_hash
    assert now.title == "after"
    assert (now.source, now.source_line) == (was.source, 1)


def test_annotations_of_every_field(project):
    (id_,) = write(project, line("q"))
    project.apply(
        Edit(
            "All",
            "ann",
            (
                AnnotationPatch("status", (id_,), ("pending",), ("rejected",)),
                AnnotationPatch("flag", (id_,), (False,), (True,)),
                AnnotationPatch("note", (id_,), ("",), ("why?",)),
                AnnotationPatch("tags", (id_,), ([],), (["a", "b"],)),
                AnnotationPatch("split", (id_,), ("",), ("test",)),
                AnnotationPatch("removed", (id_,), (None,), ({"reason": "copy", "partner": 7},)),
                AnnotationPatch("metadata", (id_,), ({},), ({"k": [1, None]},)),
                AnnotationPatch("label:intent", (id_,), (None,), ("refund",), "bob"),
            ),
        )
    )
    said = project.annotation(id_)
    assert said.status is Status.REJECTED
    assert (said.flag, said.note, said.tags, said.split) == (True, "why?", ("a", "b"), "test")
    assert said.removed == Removal("copy", 7)
    assert said.metadata == {"k": [1, None]}
    assert [(a.label_set, a.annotator, a.value) for a in project.labels(id_)] == [
        ("intent", "bob", "refund")
    ]
    project.undo()
    assert project.annotation(id_).status is Status.PENDING
    assert project.labels(id_) == ()


@pytest.mark.parametrize(
    "patch",
    [
        ContentPatch(1, line("other"), line("new")),
        ContentPatch(99, line("q"), line("new")),
        ContentPatch(1, None, line("new")),
        AnnotationPatch("status", (1,), ("accepted",), ("rejected",)),
        AnnotationPatch("status", (1, 2), ("pending", "accepted"), ("rejected",)),
        AnnotationPatch("status", (1, 99), ("pending",), ("rejected",)),
        AnnotationPatch("tags", (2,), (["x"],), ([],)),
        AnnotationPatch("label:intent", (1,), ("no",), ("yes",), "ann"),
        AnnotationPatch("label:intent", (99,), (None,), ("yes",), "ann"),
        SettingPatch("base_model", "x", "y"),
    ],
)
def test_a_stale_edit_changes_nothing(project, patch):
    write(project, line("q"), line("r"))
    before, journal = dump(project), project.journal()
    first = AnnotationPatch("flag", (1, 2), (False,), (True,))
    with pytest.raises(StaleEdit, match="nothing was changed"):
        project.apply(Edit("Stale", "ann", (first, patch)))
    assert dump(project) == before
    assert project.journal() == journal


def test_wrong_values_are_refused(project):
    write(project, line("q"))
    for field, value in (("status", "done"), ("split", "dev"), ("colour", "red"), ("tags", "x")):
        with pytest.raises(WrongUse):
            project.apply(annotate(field, [1], None, value))
    (id_,) = import_lines(project, [line("imported")])
    delete = Edit("Delete", "ann", (ContentPatch(id_, line("imported"), None),))
    with pytest.raises(WrongUse, match="remove it instead"):
        project.apply(delete)


def test_undo_of_a_creation_and_ids_never_used_twice(project):
    (first,) = write(project, line("first"))
    project.undo()
    assert project.count() == 0
    (second,) = write(project, line("second"))
    assert second > first
    project.undo()
    project.close()
    with Project.open(project.path) as again:
        assert again.new_conversation_ids(1) > [second]
        assert again.redo() is not None
        assert again.content(second) == line("second")


def test_undo_of_an_import_marks_its_rows_and_redo_brings_them_back(project):
    ids = import_lines(project, [line("a"), line("b")])
    changes = project.undo()
    assert changes is not None
    assert changes.conversations == tuple(ids)
    assert project.annotation(ids[0]).removed == Removal("import undone")
    assert project.content(ids[0]) == line("a")
    project.redo()
    assert project.annotation(ids[1]).removed is None


def test_an_import_left_by_an_error_keeps_what_it_added(project):
    from tests.project.building import columns_of

    segment, columns = columns_of([line("a")])
    with pytest.raises(RuntimeError), Bulk(project) as bulk:  # noqa: PT012
        source = bulk.add_source("/a", "a")
        bulk.add(segment, columns, source=source)
        raise RuntimeError
    assert project.sources()[0].state == "cancelled"
    assert project.sources()[0].imported == 1
    assert project.undo_title() == "Import a"


def test_findings_of_an_import_and_of_an_edit(project):
    found = Finding("T07", "warning", "Too \ud800 long.", Place(0, "content", 3, 9), "cut")
    first, second = import_lines(project, [line("a"), line("b")], findings=[(1, found), (1, found)])
    assert project.findings(first) == ()
    assert [f.rule for f in project.findings(second)] == ["T07", "T07"]
    assert project.findings(second)[0].place == Place(0, "content", 3, 9)


def test_a_second_window_reads_and_says_who_writes(project):
    write(project, line("q"))
    with Project.open(project.path) as other:
        assert other.read_only
        assert f"process {__import__('os').getpid()}" in other.holder
        assert other.count() == 1
        write(project, line("r"))
        assert other.count() == 2
        with pytest.raises(ProjectError, match="has it open"):
            other.apply(annotate("flag", [1], False, True))
    project.close()
    with Project.open(project.path) as third:
        assert not third.read_only


def test_changes_name_what_was_touched(project):
    ids = project.new_conversation_ids(1)
    made = project.apply(Edit("New", "ann", (ContentPatch(ids[0], None, line("q")),)))
    assert made.rows_changed
    assert made.fields == {"content"}
    changes = project.apply(
        Edit(
            "Two", "ann", (*annotate("flag", ids, False, True).patches, SettingPatch("x", None, 1))
        )
    )
    assert (changes.fields, changes.settings, changes.rows_changed) == ({"flag"}, ("x",), False)
    assert project.setting("x") == 1


def test_edits_from_many_threads_all_land(project):
    ids = import_lines(project, [line(str(n)) for n in range(40)])

    def accept(part: list[int]) -> None:
        for id_ in part:
            project.apply(annotate("status", [id_], "pending", "accepted"))

    threads = [threading.Thread(target=accept, args=(ids[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Index(project.path).counts()["accepted"] == 40


def test_a_snapshot_does_not_move(project):
    write(project, line("q"))
    with project.reader() as reader:
        with reader.snapshot():
            write(project, line("r"))
            assert reader.count() == 1
        assert reader.count() == 2


def test_what_is_no_project_is_refused(tmp_path):
    (tmp_path / "text").write_text("hello")
    (tmp_path / "empty").touch()
    other = apsw.Connection(str(tmp_path / "other.db"))
    other.execute("CREATE TABLE t (a)")
    other.close()
    for name in ("text", "empty", "other.db"):
        with pytest.raises(ProjectError, match="not a Curator project"):
            Project.open(tmp_path / name)
    with pytest.raises(ProjectError, match="There is no file"):
        Project.open(tmp_path / "gone")
    with pytest.raises(ProjectError, match="is a folder"):
        Project.open(tmp_path)


def test_a_damaged_file_is_one_sentence(tmp_path):
    path = tmp_path / "a.curator"
    Project.create(path).close()
    raw = bytearray(path.read_bytes())
    raw[16384:] = b"\xff" * (len(raw) - 16384)
    path.write_bytes(raw)
    with pytest.raises(ProjectError, match="damaged"), Project.open(path) as project:
        write(project, line("q"))


def test_a_file_without_write_permission_opens_for_reading(tmp_path, monkeypatch):
    path = tmp_path / "a.curator"
    with Project.create(path) as project:
        write(project, line("q"))
    path.chmod(stat.S_IRUSR)
    try:
        with Project.open(path) as project:
            if project.read_only:
                assert project.content(1) == line("q")
                with pytest.raises(ProjectError, match="read-only"):
                    project.apply(annotate("flag", [1], False, True))
    finally:
        path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def test_a_full_disk_is_one_sentence_and_loses_nothing(project):
    write(project, line("kept"))
    with project.reading() as connection:
        pages = connection.pragma("page_count")
        connection.pragma("max_page_count", pages + 2)
    before = dump(project)
    with pytest.raises(ProjectError, match="disk is full"):
        write(project, line("x" * 200_000))
    assert dump(project) == before
    with project.reading() as connection:
        connection.pragma("max_page_count", 1_000_000)
    write(project, line("x" * 200_000))
    assert project.count() == 2


STATUS = st.sampled_from(["pending", "accepted", "rejected", "skipped"])
TEXT = st.text(st.characters(codec=None), max_size=12)


@st.composite
def edits(draw) -> list[tuple[str, object]]:
    step = st.one_of(
        st.tuples(st.just("status"), STATUS),
        st.tuples(st.just("note"), TEXT),
        st.tuples(st.just("tags"), st.lists(TEXT, max_size=3)),
        st.tuples(st.just("flag"), st.booleans()),
        st.tuples(st.just("split"), st.sampled_from(["", "train", "validation", "test"])),
        st.tuples(st.just("label:x"), st.sampled_from([None, "a", "b"])),
        st.tuples(st.just("content"), TEXT),
        st.tuples(st.just("setting"), st.one_of(st.none(), TEXT, st.integers())),
        st.tuples(st.just("create"), TEXT),
    )
    return draw(st.lists(step, min_size=1, max_size=8))


def current(project: Project, field: str) -> object:
    said = project.annotation(1)
    answers = {a.label_set: a.value for a in project.labels(1)}
    return {
        "status": said.status.value,
        "note": said.note,
        "tags": list(said.tags),
        "flag": said.flag,
        "split": said.split,
    }.get(field, answers.get("x"))


def step_of(project: Project, kind: str, value: object) -> Edit:
    if kind == "content":
        patch = ContentPatch(1, project.content(1), line(str(value)))
    elif kind == "create":
        patch = ContentPatch(project.new_conversation_ids(1)[0], None, line(str(value)))
    elif kind == "setting":
        patch = SettingPatch("x", project.setting("x"), value)
    else:
        return annotate(kind, [1], current(project, kind), value, "ann" if ":" in kind else "")
    return Edit(kind, "ann", (patch,))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=edits())
def test_undo_and_redo_are_inverse_and_survive_a_restart(tmp_path_factory, steps):
    path: Path = tmp_path_factory.mktemp("law") / "a.curator"
    project = Project.create(path, author="ann")
    write(project, line("start"))
    states = [dump(project)]
    for kind, value in steps:
        edit = step_of(project, kind, value)
        project.apply(edit)
        # What changes nothing is no step.
        states += [] if edit.changes_nothing else [dump(project)]
    for state in reversed(states[:-1]):
        project.undo()
        assert dump(project) == state
    project.close()
    with Project.open(path) as again:
        for state in states[1:]:
            again.redo()
            assert dump(again) == state
        assert again.redo() is None


@settings(max_examples=15, deadline=None)
@given(steps=edits())
def test_applying_an_inverse_is_as_if_nothing_was(tmp_path_factory, steps):
    path: Path = tmp_path_factory.mktemp("law") / "a.curator"
    with Project.create(path, author="ann") as project:
        write(project, line("start"))
        for kind, value in steps:
            before = dump(project)
            edit = step_of(project, kind, value)
            project.apply(edit)
            project.apply(edit.inverse())
            assert dump(project) == before
