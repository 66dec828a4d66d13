import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.dataset import AnnotationPatch, ContentPatch, Edit, SettingPatch
from curator.project import Project
from curator.project.queries.index import Index
from curator.project.store import journal
from curator.project.store import project as store
from tests.project.building import annotate, import_lines, line, write


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "a.curator", author="ann") as made:
        write(made, line("0"))
        yield made


@pytest.fixture
def clock(monkeypatch):
    """Let a test move the time of the store."""
    times = [1_000_000]
    monkeypatch.setattr(store, "now_ms", lambda: times[0])
    return times


def typed(project: Project, text: str, key: str = "typing:1", author: str = "ann") -> Edit:
    patch = ContentPatch(1, project.content(1), line(text))
    return Edit("Type", author, (patch,), key)


def steps(project: Project) -> list[str]:
    return [f"{step.title} {step.state}" for step in project.journal()]


def test_typing_is_one_step_until_a_pause(project, clock):
    for text in ("a", "ab", "abc"):
        project.apply(typed(project, text))
        clock[0] += 4_000
    assert steps(project) == ["Type done", "New done"]
    clock[0] += 2_000
    project.apply(typed(project, "abcd"))
    assert steps(project) == ["Type done", "Type done", "New done"]
    project.undo()
    assert project.content(1) == line("abc")
    project.undo()
    assert project.content(1) == line("0")
    project.redo()
    assert project.content(1) == line("abc")


@pytest.mark.parametrize(("key", "author"), [("typing:2", "ann"), ("", "ann"), ("typing:1", "bob")])
def test_other_places_and_people_make_steps_of_their_own(project, clock, key, author):
    project.apply(typed(project, "a"))
    project.apply(typed(project, "b", key, author))
    assert len(project.journal()) == 3


def test_a_step_joins_none_that_was_undone(project, clock):
    project.apply(typed(project, "a"))
    project.undo()
    project.apply(typed(project, "b"))
    assert steps(project) == ["Type done", "Type dropped", "New done"]
    assert project.redo() is None
    project.undo()
    assert project.content(1) == line("0")


def test_steps_of_several_patches_join_place_by_place(project, clock):
    for n in range(3):
        was = project.setting("x")
        edit = typed(project, f"t{n}")
        project.apply(Edit("Both", "ann", (*edit.patches, SettingPatch("x", was, n)), "both"))
    assert steps(project) == ["Both done", "New done"]
    project.undo()
    assert project.content(1) == line("0")
    assert project.setting("x") is None
    project.redo()
    assert (project.content(1), project.setting("x")) == (line("t2"), 2)


def test_what_was_overtaken_stays_in_the_history(project, clock):
    project.apply(annotate("status", [1], "pending", "accepted"))
    project.undo()
    project.apply(annotate("flag", [1], False, True))
    assert project.redo_title() is None
    said = [(e.field, e.before, e.after, e.step.state) for e in project.history(1)]
    assert said == [
        ("flag", False, True, "done"),
        ("status", "pending", "accepted", "dropped"),
        ("content", None, line("0"), "done"),
    ]


def test_titles_of_undo_and_redo_survive_a_restart(project):
    project.apply(annotate("flag", [1], False, True))
    project.undo()
    project.close()
    with Project.open(project.path) as again:
        assert (again.undo_title(), again.redo_title()) == ("New", "Set flag")


def test_a_step_of_many_rows_is_small_and_fast(project):
    ids = import_lines(project, [line(str(n)) for n in range(20_000)])
    start = time.perf_counter()
    project.apply(annotate("status", ids, "pending", "accepted"))
    each = AnnotationPatch("status", tuple(ids), ("accepted",), ("rejected", "skipped") * 10_000)
    project.apply(Edit("Each", "ann", (each,)))
    project.apply(annotate("tags", ids[::2], [], ["x"]))
    assert time.perf_counter() - start < 2
    with project.reading() as connection:
        sizes = connection.execute(
            "SELECT length(conversations) + length(before) + length(after) FROM patch WHERE edit > 2"
        ).fetchall()
    assert len(sizes) == 3
    assert max(sizes)[0] < 2_000
    entry = project.history(ids[3])[0]
    assert (entry.step.title, entry.before, entry.after) == ("Each", "accepted", "skipped")
    assert [e.step.title for e in project.history(ids[2])] == [
        "Set tags",
        "Each",
        "Set status",
        "Import a.jsonl",
    ]
    project.undo()
    project.undo()
    assert Index(project.path).counts()["accepted"] == 20_000


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
IDS = st.lists(st.integers(1, 2**62), min_size=1, max_size=6, unique=True)


@st.composite
def annotation_patches(draw) -> AnnotationPatch:
    ids = draw(IDS)

    def values() -> tuple[object, ...]:
        size = draw(st.sampled_from([1, len(ids)]))
        return tuple(draw(st.lists(VALUE, min_size=size, max_size=size)))

    return AnnotationPatch("metadata", tuple(ids), values(), values(), draw(st.sampled_from("ab")))


TEXT = st.none() | st.text(st.characters(codec=None)) | st.text().map(lambda text: text * 700)
PATCHES = st.one_of(
    annotation_patches(),
    st.builds(ContentPatch, st.integers(1, 2**62), TEXT, TEXT),
    st.builds(SettingPatch, st.text(), VALUE, VALUE),
)


@given(PATCHES)
def test_a_patch_comes_back_from_the_journal_as_it_was(patch):
    assert journal._patch_from(*journal._patch_row(patch)) == patch


def test_what_is_typed_and_deleted_again_is_no_step(project, clock):
    before = steps(project)
    for text in ("0!", "0!!", "0"):
        project.apply(typed(project, text))
    for old, new in pairwise((None, 1, 2, None)):
        project.apply(Edit("Choose", "ann", (SettingPatch("x", old, new),), "choosing"))
    assert steps(project) == ["Choose dropped", "Type dropped", *before]
    project.apply(typed(project, "on"))
    project.undo()
    assert project.content(1) == line("0")
    project.undo()
    assert project.ids().tolist() == []
