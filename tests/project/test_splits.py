import pytest

from curator.curate.splits import SplitPlan
from curator.dataset import AnnotationPatch, ContentPatch, Conversation, Edit, Message
from curator.dataset.errors import WrongUse
from curator.project import splits as project_splits
from curator.project.store.project import Project

WORDS = ("lost", "found", "frozen", "stolen", "broken", "late", "new", "old", "blue", "green")


def line(prompt, answer):
    return Conversation.of([Message.of("user", prompt), Message.of("assistant", answer)]).to_json()


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "p.curator", author="ann") as project:
        yield project


def fill(project, lines):
    ids = project.new_conversation_ids(len(lines))
    patches = tuple(ContentPatch(id_, None, text) for id_, text in zip(ids, lines, strict=True))
    project.apply(Edit("fill", "ann", patches))
    return ids


def many(start, stop):
    return [line(f"My {WORDS[n % 10]} card number {n}", f"Answer {n}") for n in range(start, stop)]


def splits(project):
    return {id_: project.annotation(id_).split for id_ in project.ids().tolist()}


def test_a_split_is_one_edit_that_can_be_taken_back(project):
    fill(project, many(0, 50))
    proposal = project_splits.propose(project, SplitPlan(0.8, 0.1, 0.1, seed=7))
    assert proposal.before.unassigned.rows == 50
    assert proposal.after.to_json() == {
        "train": 40,
        "validation": 5,
        "test": 5,
        "unassigned": 0,
        "groups": 50,
        "straddling_groups": 0,
        "leaks": 0,
    }
    project.apply(proposal.edit)
    assert project_splits.plan_of(project) == SplitPlan(0.8, 0.1, 0.1, seed=7)
    assert sorted(splits(project).values()).count("train") == 40
    assert project_splits.present(project).to_json() == proposal.after.to_json()
    assert project_splits.propose(project, SplitPlan(0.8, 0.1, 0.1, seed=7)).edit is None
    project.undo()
    assert set(splits(project).values()) == {""}
    assert project_splits.plan_of(project) is None


def test_added_conversations_move_nothing(project):
    fill(project, many(0, 30))
    plan = SplitPlan(0.6, 0.2, 0.2, seed=1)
    project.apply(project_splits.propose(project, plan).edit)
    before = splits(project)
    fill(project, many(30, 50))
    proposal = project_splits.propose(project, plan)
    project.apply(proposal.edit)
    assert proposal.moved == 0
    assert before.items() <= splits(project).items()
    assert (proposal.after.train.rows, proposal.after.test.rows) == (30, 10)


def test_another_plan_or_fresh_assigns_anew(project):
    fill(project, many(0, 60))
    project.apply(project_splits.propose(project, SplitPlan(seed=1)).edit)
    assert project_splits.propose(project, SplitPlan(seed=2)).moved > 0
    assert project_splits.propose(project, SplitPlan(seed=1), fresh=True).moved == 0


def test_labels_are_spread_and_shown(project):
    ids = fill(project, many(0, 100))
    values = tuple("lost" if n % 4 else "stolen" for n in range(100))
    patch = AnnotationPatch("label:intent", tuple(ids), (None,), values, "ann")
    project.apply(Edit("label", "ann", (patch,)))
    proposal = project_splits.propose(project, SplitPlan(0.8, 0.1, 0.1, stratify="intent"))
    assert proposal.before.unassigned.labels == {"lost": 75, "stolen": 25}
    assert 19 <= proposal.after.train.labels["stolen"] <= 21
    assert 2 <= proposal.after.test.labels["stolen"] <= 3
    with pytest.raises(WrongUse, match='labelled with "mood" yet'):
        project_splits.propose(project, SplitPlan(stratify="mood"))


def test_near_duplicates_stay_together_when_asked(project):
    base = "I would like to know when my new card will arrive at my home address please"
    fill(
        project,
        [
            line(
                f"{base} {word}",
                "It comes by post within two weeks and you can follow it in the app",
            )
            for word in WORDS
        ]
        + many(0, 10),
    )
    plan = SplitPlan(0.5, 0, 0.5, together=("prompt", "duplicates"))
    proposal = project_splits.propose(project, plan)
    project.apply(proposal.edit)
    assert len({project.annotation(id_).split for id_ in range(1, 11)}) == 1
    assert proposal.after.groups == 11


def test_leaks_made_by_hand_are_reported(project):
    ids = fill(project, [line("Same prompt", "a"), line("Same prompt", "b"), line("Other", "c")])
    patch = AnnotationPatch("split", tuple(ids), ("",), ("train", "test", "test"))
    project.apply(Edit("by hand", "ann", (patch,)))
    report = project_splits.present(project)
    assert report.leaks == ((1, 2),)
    assert report.straddling_groups == 1
    proposal = project_splits.propose(project, SplitPlan(0.5, 0, 0.5))
    assert (proposal.moved, proposal.bridged) == (1, 1)
    assert proposal.after.leaks == ()


def test_removed_conversations_are_not_split(project):
    ids = fill(project, many(0, 10))
    patch = AnnotationPatch("removed", tuple(ids[:4]), (None,), ({"reason": "x", "partner": None},))
    project.apply(Edit("remove", "ann", (patch,)))
    project.apply(project_splits.propose(project, SplitPlan(1, 0, 0)).edit)
    assert list(splits(project).values()) == [""] * 4 + ["train"] * 6


def test_an_empty_project_has_nothing_to_split(project):
    proposal = project_splits.propose(project, SplitPlan())
    assert proposal.after.groups == 0
    assert project_splits.present(project).train.rows == 0
