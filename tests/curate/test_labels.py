"""Law: one answer counts, whoever asks, in whatever order and by whatever names it was given."""

from hypothesis import given
from hypothesis import strategies as st

from curator.curate.labels import label_that_counts, labels_of, labels_that_count
from curator.dataset import Label

NAMES = st.text("abc", min_size=1, max_size=3)
ANSWERS = st.dictionaries(NAMES, st.sampled_from(["fees", "card", "other"]), min_size=1)


@given(ANSWERS, st.randoms())
def test_neither_order_nor_names_of_annotators_matter(answers, random):
    names = list(answers)
    random.shuffle(names)
    renamed = {f"{at}{name}": answers[name] for at, name in enumerate(names)}
    assert label_that_counts(renamed) == label_that_counts(answers)


@given(ANSWERS, st.data())
def test_my_own_answer_counts_for_me(answers, data):
    me = data.draw(st.sampled_from(sorted(answers)))
    assert label_that_counts(answers, me) == answers[me]


def test_the_labels_of_one_conversation_by_label_set():
    labels = (
        Label(1, "intent", "ana", "fees"),
        Label(1, "intent", "bo", "card"),
        Label(1, "tone", "bo", "2"),
    )
    assert labels_that_count(labels) == {"intent": "card", "tone": "2"}
    assert labels_that_count(labels, "ana") == {"intent": "fees", "tone": "2"}
    assert labels_of(labels, "ana") == {"intent": "fees"}
