import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curator.curate.search.query import parse_query
from curator.dataset import ContentPatch, Conversation, Edit, Message
from curator.dataset.errors import Cancelled
from curator.project import Project
from curator.project.queries.search import find_ids, find_texts, index_texts
from curator.project.store.full_text import words_of, words_of_line
from tests.project.building import import_lines, line, unindexed, write


def quiet(*_: object) -> None:
    return None


def never() -> bool:
    return False


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "a.curator", author="ann") as made:
        yield made


TEXTS = (
    "I want a refund for my card",
    "my, card is lost",
    "Where is the café in Łódź?",
    "我的银行卡",
    "in C++ and don't",
    "call 0123 4567",
)

QUERIES = {
    "refun": [1],
    '"my card"': [1, 2],
    "my -refund": [2],
    "-card": [3, 4, 5, 6],
    "CAFE": [3],
    "银行": [4],
    "c++": [5],
    "don't": [5],
    r"/\d{4} \d{4}/": [6],
    r"my /lost|refund/": [1, 2],
    "role:assistant card": [1, 2],
    "role:system": [],
    "the yes": [3],
    "": [1, 2, 3, 4, 5, 6],
}


@pytest.mark.parametrize("indexed", [0, 3, 6])
@pytest.mark.parametrize("query", QUERIES)
def test_answers_are_complete_whatever_is_indexed(project, indexed, query):
    import_lines(project, [line(text) for text in TEXTS[:indexed]])
    index_texts(project, quiet, never)
    import_lines(project, [line(text) for text in TEXTS[indexed:]])
    assert find_ids(project, parse_query(query)).tolist() == QUERIES[query]


def test_edits_keep_the_word_index_in_step(project):
    ids = import_lines(project, [line("apple"), line("pear")])
    assert index_texts(project, quiet, never) == 2
    project.apply(Edit("Edit", "ann", (ContentPatch(ids[0], line("apple"), line("plum")),)))
    write(project, line("plum too"))
    assert find_ids(project, parse_query("apple")).tolist() == []
    assert find_ids(project, parse_query("plum")).tolist() == [1, 3]
    project.undo()
    project.undo()
    assert find_ids(project, parse_query("apple")).tolist() == [1]
    assert find_ids(project, parse_query("plum")).tolist() == []
    project.redo()
    assert index_texts(project, quiet, never) == 0
    assert find_ids(project, parse_query("plum")).tolist() == [1]


def test_among_limits_where_to_look(project):
    import numpy as np

    import_lines(project, [line("same words")] * 6)
    for _ in range(2):
        found = find_ids(project, parse_query("same"), among=np.array([2, 5], np.int64))
        assert found.tolist() == [2, 5]
        assert find_ids(project, parse_query("same"), among=np.empty(0, np.int64)).tolist() == []
        index_texts(project, quiet, never)


def test_indexing_goes_on_where_it_was_stopped(project):
    import_lines(project, [line(f"row {n}") for n in range(1_200)])
    seen: list[int] = []
    with pytest.raises(Cancelled):
        index_texts(project, lambda done, *_: seen.append(done), lambda: len(seen) == 1)
    assert seen == [500]
    assert unindexed(project) == 700
    assert len(find_ids(project, parse_query("row"))) == 1_200
    assert index_texts(project, quiet, never) == 700
    assert unindexed(project) == 0


def test_a_search_can_be_stopped_and_comes_in_pages(project):
    import_lines(project, [line(f"row {n}") for n in range(1_200)])
    pages = find_texts(project, parse_query("/row/"))
    assert len(next(pages)) == 500
    with pytest.raises(Cancelled):
        find_ids(project, parse_query("/row/"), cancelled=lambda: True)


def test_tool_calls_are_searched(project):
    call = {
        "id": "1",
        "type": "function",
        "function": {"name": "lookup", "arguments": '{"q":"tram"}'},
    }
    conversation = Conversation.of(
        [Message.of("user", "hi"), Message({"role": "assistant", "tool_calls": [call]})]
    )
    write(project, conversation.to_json(), line("tram"))
    assert find_ids(project, parse_query("tram")).tolist() == [1, 2]
    assert find_ids(project, parse_query("tool:look")).tolist() == [1]
    assert find_ids(project, parse_query("-tool:look")).tolist() == [2]


CHARACTERS = st.characters(codec=None, exclude_categories=("Cn",))


@given(st.lists(st.text(CHARACTERS, max_size=20), min_size=1, max_size=3))
def test_the_fast_way_to_a_lines_words_is_the_slow_way(texts):
    conversation = Conversation.of([Message.of("user", text) for text in texts])
    assert words_of_line(conversation.to_json()) == words_of(conversation)


ALPHABET = st.sampled_from("abcABC éÉøØßẞñłŁİıçŞžŽœÆαΑάβΒΩωжЖёЁйЙ ,.'-_²½\u0301\t0123")


@settings(max_examples=60, deadline=None)
@example(texts=["0", "0", "00"], words=["0 \u0301"])
@given(
    texts=st.lists(st.text(ALPHABET, min_size=1, max_size=12), min_size=3, max_size=8),
    words=st.lists(st.text(ALPHABET, min_size=1, max_size=5), min_size=1, max_size=6),
)
def test_the_word_index_answers_as_a_scan_does(tmp_path_factory, texts, words):
    path = tmp_path_factory.mktemp("law") / "a.curator"
    with Project.create(path) as project:
        import_lines(project, [line(text, "") for text in texts])
        queries = [parse_query(f'"{word}"') for word in words] + [parse_query(w) for w in words]
        scanned = [find_ids(project, query).tolist() for query in queries]
        index_texts(project, quiet, never)
        for query, expected in zip(queries, scanned, strict=True):
            assert find_ids(project, query).tolist() == expected, query
