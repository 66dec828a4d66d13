from concurrent.futures import BrokenExecutor, ThreadPoolExecutor

import pytest

from curator.dataset import (
    AnnotationPatch,
    ContentPatch,
    Conversation,
    Edit,
    Message,
    SettingPatch,
)
from curator.dataset.errors import Cancelled, WrongUse
from curator.project import duplicate_search, duplicate_tables, duplicates
from curator.project.dataset_facts import dataset_facts
from curator.project.duplicate_search import Search
from curator.project.labels import annotation_patch
from curator.project.not_duplicates import marks, parting
from curator.project.store import label_rows
from curator.project.store import project as store
from curator.project.store.patches import now_ms
from curator.project.store.project import Project

LOST = "I have lost my card and need a new one as soon as possible please"


def line(prompt, answer="I will send you a new card today."):
    return Conversation.of([Message.of("user", prompt), Message.of("assistant", answer)]).to_json()


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "p.curator", author="ann") as project:
        yield project


def fill(project, *lines):
    ids = project.new_conversation_ids(len(lines))
    patches = tuple(ContentPatch(id_, None, text) for id_, text in zip(ids, lines, strict=True))
    project.apply(Edit("fill", "ann", patches))
    return ids


@pytest.fixture
def filled(project):
    fill(
        project,
        line(LOST),
        line("What is the exchange rate for dollars"),
        line(LOST + " thank you"),
        line(LOST),
        line("How do I top up by cheque", "Go to a branch."),
    )
    return project


def pairs(found):
    ids = found.ids.tolist()
    return sorted((ids[p.a], ids[p.b], round(p.similarity, 2)) for p in found.matches.pairs())


def test_near_and_exact_find_what_they_should(filled):
    assert pairs(duplicates.find(filled, Search("exact"))) == [(1, 4, 1.0)]
    near = duplicates.find(filled, Search("near", 0.7))
    assert pairs(near) == [(1, 3, 0.76), (1, 4, 1.0), (3, 4, 0.76)]
    assert [(c.rows, c.best) for c in near.clusters()] == [((1, 3, 4), (1, 4, 1.0))]


def test_what_is_compared_can_be_chosen(filled):
    answers = duplicates.find(filled, Search("exact", compare="answer"))
    assert answers.clusters()[0].rows == (1, 2, 3, 4)
    prompts = duplicates.find(filled, Search("near", 0.9, "prompt"))
    assert pairs(prompts) == [(1, 4, 1.0)]


def test_removal_names_reason_and_partner_and_can_be_taken_back(filled):
    found = duplicates.find(filled, Search("near", 0.7))
    edit = duplicates.removal(filled, found.search, duplicates.decide(filled, found, "oldest"))
    filled.apply(edit)
    assert filled.annotation(3).removed.reason == "near duplicate of 1 (0.76)"
    assert filled.annotation(3).removed.partner == 1
    assert label_rows.removed(filled)[0][0] in (3, 4)
    assert pairs(duplicates.find(filled, found.search)) == []
    removed = label_rows.annotation_values(filled, [3], "removed")
    filled.apply(Edit("Restore", "", (AnnotationPatch("removed", (3,), tuple(removed), (None,)),)))
    assert filled.annotation(3).removed is None
    assert [row[0] for row in label_rows.removed(filled)] == [4]
    filled.undo()
    filled.undo()
    assert label_rows.removed(filled) == []


def test_keep_rules_read_the_project(filled):
    found = duplicates.find(filled, Search("near", 0.7))

    def kept(rule):
        return [d.row for d in duplicates.decide(filled, found, rule) if d.kept]

    assert kept("newest") == [4]
    filled.apply(Edit("", "ann", (annotation_patch(filled, [3], "status", "accepted"),)))
    filled.apply(Edit("", "ann", (annotation_patch(filled, [4], "tags", ["good"]),)))
    assert kept("accepted_first") == [3]
    assert kept("most_labelled") == [4]
    assert kept("longest") == [3]
    assert duplicates.decide(filled, found, "oldest", []) == []


def test_marked_pairs_are_not_found_again(filled):
    filled.apply(parting(filled, [(3, 1)]))
    filled.apply(parting(filled, [(3, 4), (1, 3)]))
    assert list(marks(filled)) == [(1, 3), (3, 4)]
    assert pairs(duplicates.find(filled, Search("near", 0.7))) == [(1, 4, 1.0)]
    filled.undo()
    assert (3, 4, 0.76) in pairs(duplicates.find(filled, Search("near", 0.7)))


def test_marks_of_an_earlier_version_count_on_and_can_be_undone(filled):
    filled.apply(Edit("", "ann", (SettingPatch("not_duplicates", None, [[1, 3]]),)))
    filled.apply(parting(filled, [(3, 4)]))
    assert pairs(duplicates.find(filled, Search("near", 0.7))) == [(1, 4, 1.0)]
    filled.undo()
    filled.undo()
    assert list(marks(filled)) == []


def test_a_mark_costs_the_same_however_many_there_are(filled):
    """What one decision writes into the journal and into settings does not grow with the others."""

    def written(a, b):
        filled.apply(parting(filled, [(a, b)]))
        with filled.reading() as connection:
            sizes = connection.execute(
                "SELECT length(name) + ifnull(length(before), 0) + ifnull(length(after), 0) "
                "FROM patch WHERE edit = (SELECT max(id) FROM edit)"
            ).fetchall()
            longest = connection.execute("SELECT max(length(value)) FROM setting").fetchone()
        return sizes, longest

    first = written(100_001, 100_002)
    filled.apply(parting(filled, [(100_001, 100_003 + n) for n in range(3_000)]))
    assert written(100_002, 100_003) == first


def test_what_was_found_is_kept_with_the_project(filled):
    assert duplicate_tables.kept(filled) is None
    found = duplicates.find(filled, Search("near", 0.7))
    duplicate_tables.keep(filled, found)
    again = duplicate_tables.kept(filled)
    assert again.search == found.search
    assert pairs(again) == pairs(found)
    patch = AnnotationPatch("removed", (1,), (None,), ({"reason": "test", "partner": None},))
    filled.apply(Edit("remove", "ann", (patch,)))
    assert pairs(duplicate_tables.kept(filled)) == [(3, 4, 0.76)]
    filled.apply(parting(filled, [(3, 4)]))
    assert pairs(duplicate_tables.kept(filled)) == []


def test_what_was_edited_since_is_not_shown_as_a_copy(filled, monkeypatch):
    duplicate_tables.keep(filled, duplicates.find(filled, Search("near", 0.7)))
    monkeypatch.setattr(store, "now_ms", lambda: now_ms() + 10)
    other = line("Something else altogether", "Quite so.")
    filled.apply(Edit("edit", "ann", (ContentPatch(1, filled.content(1), other),)))
    assert pairs(duplicate_tables.kept(filled)) == [(3, 4, 0.76)]
    assert [each[:2] for each in dataset_facts(filled).near] == [(3, 4)]


def test_what_an_earlier_version_found_is_not_shown(filled):
    duplicate_tables.keep(filled, duplicates.find(filled, Search("near", 0.7)))
    assert dataset_facts(filled).near
    with filled.writing() as connection:
        connection.execute("UPDATE run SET facts = json_remove(facts, '$.version')")
    assert duplicate_tables.kept(filled) is None
    assert dataset_facts(filled).near == []


def test_a_second_search_replaces_the_first(filled):
    duplicate_tables.keep(filled, duplicates.find(filled, Search("near", 0.5)))
    duplicate_tables.keep(filled, duplicates.find(filled, Search("exact")))
    assert pairs(duplicate_tables.kept(filled)) == [(1, 4, 1.0)]
    assert duplicate_tables.kept(filled).search.preset == "exact"


def test_pairs_are_written_with_source_lines(filled, tmp_path):
    found = duplicates.find(filled, Search("near", 0.7))
    path = tmp_path / "pairs.tsv"
    assert duplicates.write_pairs(filled, found, path) == 3
    lines = path.read_text("utf-8").splitlines()
    assert lines[0] == "a_line\tb_line\tsimilarity\ta\tb"
    assert lines[1] == "\t\t0.76\t1\t3"


def test_odd_lines_are_compared_the_exact_way(project):
    surrogate = r'{"messages":[{"role":"user","content":"a b \ud800 c"},{"content":null}]}'
    parts = '{"messages":[{"role":"user","content":[{"type":"text","text":"a b c"}]}]}'
    fill(project, surrogate, parts, line("a b c", ""))
    assert pairs(duplicates.find(project, Search("near", 0.9))) == [
        (1, 2, 1.0),
        (1, 3, 1.0),
        (2, 3, 1.0),
    ]


def test_prompts_that_are_empty_do_not_match(project):
    only = [Message.of("assistant", text) for text in ("one", "two")]
    fill(project, *(Conversation.of([m]).to_json() for m in only))
    assert pairs(duplicates.find(project, Search("exact", compare="prompt"))) == []
    assert pairs(duplicates.find(project, Search("near", compare="prompt"))) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Search("semantic"), "not in this version yet; choose exact or near"),
        (lambda: Search("paraphrase"), "not in this version yet"),
        (lambda: Search("fuzzy"), 'no preset "fuzzy"; choose one of exact, near'),
        (lambda: Search(compare="title"), "conversation, prompt, answer"),
        (lambda: Search(measure="c4"), "w3, c5"),
    ],
)
def test_wrong_searches_say_what_there_is(make, message):
    with pytest.raises(WrongUse, match=message):
        make()


def test_a_search_can_be_stopped(filled):
    with pytest.raises(Cancelled):
        duplicates.find(filled, Search("near"), cancelled=lambda: True)


def test_worker_processes_find_the_same(filled, monkeypatch):
    here = duplicates.find(filled, Search("near", 0.5))
    monkeypatch.setattr(duplicate_search, "_FEW_ROWS", 1)
    monkeypatch.setattr(duplicate_search, "_PART", 2)
    assert pairs(duplicates.find(filled, Search("near", 0.5))) == pairs(here)


def test_a_killed_worker_costs_only_time(filled, monkeypatch):
    class Broken(ThreadPoolExecutor):
        def submit(self, function, *arguments):
            if arguments[1] != [1, 2]:
                raise BrokenExecutor("killed")
            return super().submit(function, *arguments)

    here = duplicates.find(filled, Search("near", 0.5))
    monkeypatch.setattr(duplicate_search, "_FEW_ROWS", 1)
    monkeypatch.setattr(duplicate_search, "_PART", 2)
    monkeypatch.setattr(duplicate_search, "_AHEAD", 1)
    monkeypatch.setattr(duplicate_search, "workers", lambda: 1)
    monkeypatch.setattr(duplicate_search, "pool", lambda _encoding: Broken(1))
    assert pairs(duplicates.find(filled, Search("near", 0.5))) == pairs(here)
