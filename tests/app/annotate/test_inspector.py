"""The inspector shows what is known and asks for changes, each once."""

import pytest
from PySide6.QtCore import Qt

from curator.app.annotate.annotating import AnnotationChange
from curator.app.annotate.writing_inspector import WritingInspector
from curator.app.editor.draft_counter import Measure
from curator.curate.analysis.tokens import TokenCount
from curator.dataset import Annotation, Finding, Label, LabelSet, Place, Status
from curator.project.queries.index import Index

SETS = (LabelSet("intent", "choice", ("refund", "greeting")),)


@pytest.fixture
def inspector(qtbot):
    inspector = WritingInspector()
    inspector.resize(320, 700)
    qtbot.addWidget(inspector)
    inspector.show()
    return inspector


@pytest.fixture
def changes(inspector):
    found: list[AnnotationChange] = []
    inspector.change_requested.connect(found.append)
    return found


def test_tokens_and_cost_are_honest(inspector):
    inspector.show_base_model("gpt-4.1-mini", "")
    count = TokenCount(1_200, 300, (1_197,), exact=False)
    inspector.show_measure(Measure(count, 65_536, "gpt-4.1-mini"), 1_000_000, 250_000, 500)
    assert inspector._this.text() == "about 1,200 tokens, 300 trained"
    assert "1,000,000" in inspector._all.text()
    cost = inspector._cost.text()
    assert "3 epochs" in cost
    assert inspector._epochs.text() == "3 epochs"
    inspector._epochs.setValue(1)
    assert inspector._epochs.text() == "1 epoch"
    assert "for 1 epoch of these" in inspector._cost.text()
    inspector._epochs.setValue(3)
    assert "price of 20" in cost
    inspector.show_base_model("my-own-model", "It is not known.")
    inspector.show_measure(None, 0, 0, 0)
    assert "No price" in inspector._cost.text()


def test_status_flag_and_labels_are_asked_for(inspector, changes, qtbot):
    inspector.show_annotation(Annotation(), SETS, (), "anna")
    qtbot.mouseClick(inspector._status["accepted"], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(inspector._flag, Qt.MouseButton.LeftButton)
    box = inspector._labels["intent"]
    box.setCurrentIndex(1)
    box.activated.emit(1)
    assert changes == [
        AnnotationChange("status", "accepted"),
        AnnotationChange("flag", True),
        AnnotationChange("label:intent", "refund"),
    ]


def test_only_my_own_labels_are_shown(inspector):
    labels = (Label(1, "intent", "ben", "refund"),)
    inspector.show_annotation(Annotation(status=Status.ACCEPTED), SETS, labels, "anna")
    assert inspector._labels["intent"].currentData() is None
    assert inspector._status["accepted"].isChecked()


def test_note_and_tags_are_given_out_once(inspector, changes, qtbot):
    inspector.show_annotation(Annotation(note="old"), (), (), "anna")
    inspector.focus_note()
    qtbot.keyClicks(inspector.note, "new ")
    inspector._tags.setFocus()
    qtbot.keyClicks(inspector._tags, "b, a, b")
    inspector.commit()
    inspector.commit()
    assert [(w.field, w.value) for w in changes] == [("note", "new old"), ("tags", ["b", "a"])]


def test_findings_offer_their_place_and_their_fix(inspector, qtbot):
    finding = Finding("F10", "error", "Broken.", Place(2, "content", 0, 1), "replace_broken")
    inspector.show_findings((finding,) * 30)
    assert len(inspector._entries) == 21
    with qtbot.waitSignal(inspector.finding_chosen) as chosen:
        inspector._entries[0].chosen.emit(finding)
    assert chosen.args == [finding]


def test_leaving_the_base_model_as_it_is_is_no_step(qapp, tmp_path, qtbot):
    from curator.app.editor.draft_counter import DraftCounter
    from curator.app.session.background import Jobs
    from curator.app.session.session import Session
    from curator.project import Project

    session = Session(Jobs(), "anna")
    session.project = Project.create(tmp_path / "p.curator", "anna")
    session.index = Index(session.project.path)
    counter = DraftCounter(session, session.jobs)
    counter.choose(counter.base_model)
    assert session.project.undo_title() is None
    counter.choose("gpt-4o-2024-08-06")
    assert counter.base_model == "gpt-4o-2024-08-06"
    session.undo()
    assert counter.base_model == "gpt-4.1-mini"
    assert session.jobs.shutdown(20)
    session.close_project()


def test_where_nothing_is_shown_nothing_is_being_counted(inspector):
    inspector.show_measure(None, 0, 0, 0)
    assert inspector._this.text() == ""
    inspector.show_measure(None, 10, 5, 1)
    assert inspector._this.text() == "Counting…"


def test_a_sum_says_by_which_encoding_it_is_estimated(inspector):
    inspector.show_measure(None, 10, 5, 1, "o200k_base")
    assert "Estimated with o200k_base" in inspector._all.text()
    inspector.show_measure(None, 10, 5, 1)
    assert "Estimated" not in inspector._all.text()
