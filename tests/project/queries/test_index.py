import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.curate.search.query import CHOICES, NUMBERS, parse_query
from curator.dataset import AnnotationPatch, ContentPatch, Edit, Finding
from curator.dataset.errors import WrongUse
from curator.project import Index, Project
from curator.project.queries.filters import view
from curator.project.queries.index import SORTS
from curator.project.store.bulk import Bulk
from tests.project.building import annotate, import_lines, line, write


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "a.curator", author="ann") as made:
        import_lines(
            made,
            [line(text) for text in ("pear", "Apple", "fig", "apple")],
            name="fruit.jsonl",
            findings=[(0, Finding("T07", "warning", "m")), (2, Finding("S05", "error", "m"))],
            tokens=[40, 10, 30, 10],
            n_turns=[1, 2, 3, 4],
            errors=[0, 0, 1, 0],
            warnings=[1, 0, 0, 0],
            flags=[1, 0, 8, 2],
            content_hash=[7, 8, 9, 8],
        )
        yield made


@pytest.fixture
def index(project):
    made = Index(project.path)
    yield made
    made.close()


def ids(index: Index, query: str = "", **more: object) -> list[int]:
    return index.ids[view(index, parse_query(query), **more)].tolist()


def push(project: Project, index: Index, *patches: object) -> None:
    index.refresh(project, project.apply(Edit("Edit", "ann", tuple(patches))))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 2, 3, 4]),
        ("tokens:>10", [1, 3]),
        ("tokens:10..30 turns:<4", [2, 3]),
        ("-tokens:10", [1, 3]),
        ("errors:>0", [3]),
        ("has:warnings", [1]),
        ("has:findings", [1, 3]),
        ("rule:t07", [1]),
        ("-rule:S05", [1, 2, 4]),
        ("has:tools", [1]),
        ("has:system", [3]),
        ("has:calls", [4]),
        ("is:duplicate", [2, 4]),
        ("source:fruit", [1, 2, 3, 4]),
        ("source:other", []),
        ("is:handwritten", []),
        ("line:2..3", [2, 3]),
        ("id:4", [4]),
        ("status:pending", [1, 2, 3, 4]),
        ("split:train", []),
        ("split:none", [1, 2, 3, 4]),
        ("is:removed", []),
        ("is:edited", []),
    ],
)
def test_filters_of_what_was_imported(index, query, expected):
    assert ids(index, query) == expected


def test_every_choice_and_number_has_an_answer(index):
    for field, choices in CHOICES.items():
        for choice in choices:
            assert set(ids(index, f"{field}:{choice}")) <= {1, 2, 3, 4}
    for number in NUMBERS:
        assert ids(index, f"{number}:>=0") == [1, 2, 3, 4]


def test_sorts(index, project):
    assert ids(index, sort="tokens") == [2, 4, 3, 1]
    assert ids(index, sort="tokens", descending=True) == [1, 3, 2, 4]
    assert ids(index, sort="title") == [2, 4, 3, 1]
    assert ids(index, "tokens:<40", sort="n_turns", descending=True) == [4, 3, 2]
    index.ensure_title_rank(project)
    assert ids(index, sort="title", descending=True) == [1, 3, 4, 2]
    for sort in (*SORTS, "tags", "label:x", "content_hash"):
        assert sorted(ids(index, sort=sort)) == [1, 2, 3, 4]
    with pytest.raises(WrongUse):
        view(index, sort="colour")


def test_hits_of_a_text_search_limit_a_view(index):
    hits = np.array([4, 1, 99], np.int64)
    assert ids(index, "x tokens:>0", sort="tokens", hits=hits) == [4, 1]


def test_annotations_and_labels_are_taken_over(project, index):
    push(
        project,
        index,
        AnnotationPatch("status", (1, 2), ("pending",), ("accepted", "rejected")),
        AnnotationPatch("split", (3,), ("",), ("test",)),
        AnnotationPatch("flag", (3,), (False,), (True,)),
        AnnotationPatch("note", (4,), ("",), ("look",)),
        AnnotationPatch("tags", (1, 4), ([],), (["Good"], ["good", "new"])),
        AnnotationPatch("label:intent", (1, 2), (None,), ("Refund", "lost"), "ann"),
        AnnotationPatch("removed", (2,), (None,), ({"reason": "copy"},)),
    )
    expected = {
        "status:accepted": [1],
        "is:rejected": [],
        "is:rejected is:removed": [2],
        "is:removed": [2],
        "-is:removed": [1, 3, 4],
        "split:test": [3],
        "is:flagged": [3],
        "has:note": [4],
        "tag:good": [1, 4],
        "-tag:NEW has:tags": [1],
        "label:intent": [1],
        "label:INTENT=refund": [1],
        "label:intent=lost is:removed": [2],
        "label:other": [],
        "is:labelled": [1],
        "has:labels": [1],
        "by:Ann": [1],
        "is:duplicate": [],
    }
    for query, wanted in expected.items():
        assert ids(index, query) == wanted, query
    assert index.counts() == {
        "all": 3,
        "pending": 2,
        "accepted": 1,
        "rejected": 0,
        "skipped": 0,
        "flagged": 1,
        "errors": 1,
        "warnings": 1,
        "removed": 1,
    }
    push(project, index, AnnotationPatch("label:intent", (1,), (None,), ("lost",), "bob"))
    assert ids(index, "label:intent=lost") == [1]
    push(project, index, AnnotationPatch("tags", (4,), (["good", "new"],), ([],)))
    assert ids(index, "tag:good") == [1]
    assert ids(index, "has:tags", sort="tags") == [1]


def test_edits_creations_and_their_undo_are_taken_over(project, index):
    push(project, index, ContentPatch(2, line("Apple"), line("zebra zebra zebra")))
    assert ids(index, "is:edited") == [2]
    assert ids(index, sort="title", descending=True)[0] == 2
    write(project, line("by hand"))
    index.refresh(project, project.undo())
    assert len(index) == 4
    index.refresh(project, project.redo())
    assert ids(index, "is:handwritten") == [5]
    assert index.row_of(5) == 4
    assert index.row_of(6) is None
    with Bulk(project) as bulk:
        bulk.add_source("/empty", "empty")
    assert bulk.changes == []
    import_lines(project, [line("late")])
    assert ids(index) == [1, 2, 3, 4, 5]
    index.refresh(project, project.undo())
    assert (len(index), index.counts()["removed"]) == (6, 1)


def test_a_creation_brought_back_between_later_rows(project, index):
    first, second = project.new_conversation_ids(2)
    push(project, index, ContentPatch(second, None, line("later")))
    push(project, index, ContentPatch(first, None, line("earlier")))
    assert ids(index) == [1, 2, 3, 4, first, second]


def state_of(index: Index) -> dict[str, list[object]]:
    names = ("ids", "tokens", "errors", "status", "split", "flag", "removed", "noted", "tagged")
    state: dict[str, list[object]] = {name: getattr(index, name).tolist() for name in names}
    state["title"] = ids(index, sort="title")
    state["tags"] = [str(tag) for tag in index.lazy.tags()]
    state["x"] = [str(answer) for answer in index.lazy.labels("x")]
    return state


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("status"), st.sampled_from(["pending", "accepted"])),
        st.tuples(st.just("note"), st.sampled_from(["", "n"])),
        st.tuples(st.just("tags"), st.sampled_from([[], ["a"], ["b", "c"]])),
        st.tuples(st.just("removed"), st.sampled_from([None, {"reason": "r", "partner": None}])),
        st.tuples(st.just("label:x"), st.sampled_from([None, "u", "v"])),
        st.tuples(st.just("content"), st.sampled_from("abc")),
        st.tuples(st.sampled_from(["create", "undo", "redo"]), st.none()),
    ),
    max_size=10,
)


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_a_refreshed_index_is_as_a_new_one(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("law") / "a.curator"
    with Project.create(path, author="ann") as project:
        import_lines(project, [line("b"), line("a")])
        index = Index(project.path)
        state_of(index)
        for kind, value in steps:
            changes = None
            if kind in ("undo", "redo"):
                changes = getattr(project, kind)()
            elif kind == "create":
                (new,) = project.new_conversation_ids(1)
                changes = project.apply(Edit("New", "a", (ContentPatch(new, None, line("n")),)))
            elif kind == "content":
                patch = ContentPatch(1, project.content(1), line(value))
                changes = project.apply(Edit("Edit", "a", (patch,)))
            else:
                patch = annotate(kind, [1], before_of(project, kind), value, "ann" * (":" in kind))
                changes = project.apply(patch)
            if changes is not None:
                index.refresh(project, changes)
            fresh = Index(project.path)
            assert state_of(index) == state_of(fresh)
            fresh.close()
        index.close()


def before_of(project: Project, field: str) -> object:
    said = project.annotation(1)
    removed = said.removed
    return {
        "status": said.status.value,
        "note": said.note,
        "tags": list(said.tags),
        "removed": removed and {"reason": removed.reason, "partner": removed.partner},
    }.get(field, next((a.value for a in project.labels(1)), None))


def test_undo_of_a_step_that_created_and_annotated(project, index):
    new = project.new_conversation_ids(2)
    creations = [ContentPatch(id_, None, line("new")) for id_ in new]
    splits = AnnotationPatch("split", (2, *new), ("", "", ""), ("test", "train", ""))
    push(project, index, *creations, splits)
    assert ids(index, "split:test") == [2]
    index.refresh(project, project.undo())
    assert ids(index) == [1, 2, 3, 4]
    assert ids(index, "split:test") == []
