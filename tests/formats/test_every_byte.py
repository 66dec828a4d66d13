"""Every byte of a file is accounted for: it is part of a record, or white space, a comma or a bracket.

The laws hold for mixtures of lines, arrays, pretty-printed objects and junk, in any encoding, with any
line ends, wherever the blocks end, whole or cut off anywhere.
"""

import json
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curator.dataset.errors import UnreadableInput
from curator.formats import opening, scanner
from curator.formats.json_records import sniff

# What may stand around records, and nothing else.
STRUCTURE = re.compile(rb"(?:[ \t\r\n\x0b\x0c,\[\]]|\xef\xbb\xbf)*")


def conversation(number, text="words"):
    return {"messages": [{"role": "user", "content": f"{number}: {text}"}]}


texts = st.sampled_from(
    ["words", 'a "quote" \\ [x] {y}, z', "two\nlines", "ä 中 😀 \u2028", "", "[", '{"messages": [']
)
values = st.builds(conversation, st.integers(0, 99), texts)
good = st.builds(
    lambda value, indent, ascii_: json.dumps(value, indent=indent, ensure_ascii=ascii_),
    values,
    st.sampled_from([None, None, 0, 2]),
    st.booleans(),
)
arrays = st.builds(
    lambda items, between, indent: "[" + between.join(items) + indent + "]",
    st.lists(good, max_size=4),
    st.sampled_from([",", ",\n", ", ", "\n,", ",,", "\n", ""]),
    st.sampled_from(["", "\n", ",", "]", ",\n "]),
)
junk = st.sampled_from(
    [
        "[INFO] started",
        "[",
        "]",
        "}",
        "{",
        ",",
        '"',
        "xyz",
        "[[",
        '["a", 1]',
        "# note",
        "null",
        "'",
        "\\",
    ]
) | st.text(alphabet='[]{}",:\\ \n\r\tabc1ä', max_size=12)
broken = good.flatmap(lambda text: st.integers(0, len(text)).map(lambda at: text[:at]))
pieces = good | arrays | junk | broken
ENDS = st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n", " ", ""])


@st.composite
def mixtures(draw):
    parts = draw(st.lists(pieces, max_size=7))
    return "".join(part + draw(ENDS) for part in parts)


def read(data, **more):
    """Return the source and its chunks, or None where the file is refused in one sentence."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.jsonl"
        path.write_bytes(data)
        try:
            source = sniff(path)
        except UnreadableInput:
            return None
        return source, list(source.read(**more))


@settings(max_examples=600, deadline=None)
@given(
    mixtures(), st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-be"])
)
@example("[", "utf-8")
@example('[{"messages": [{"role": "user"', "utf-8")
def test_every_byte_is_part_of_a_record_or_of_the_structure(text, encoding):
    found = read(text.encode(encoding))
    if found is None:
        return
    source, chunks = found
    stream = text.encode()
    if source.shape == "lines":
        lines = [record for chunk in chunks for record in chunk.records]
        numbers = [number for chunk in chunks for number in chunk.numbers]
        assert numbers == list(range(1, len(lines) + 1))
        expected = re.split(rb"\r\n|\r|\n", stream)
        assert [line.rstrip(b"\r") for line in lines] == expected[: len(lines)]
        assert expected[len(lines) :] in ([], [b""])
        return
    at = source.wrapped
    for chunk in chunks:
        for record, place in zip(chunk.records, chunk.places, strict=True):
            assert STRUCTURE.fullmatch(stream[at : place.begin]), stream[at : place.begin]
            span = stream[place.begin : place.end]
            assert record == scanner.one_line(span.rstrip(b" \t\r\n"))
            assert place.line == 1 + len(re.findall(rb"\r\n|\r|\n", stream[: place.begin]))
            at = place.end
    assert STRUCTURE.fullmatch(stream[at:]), stream[at:]


@settings(max_examples=300, deadline=None)
@given(mixtures(), st.integers(1, 30), st.booleans())
def test_where_blocks_end_changes_nothing(text, size, in_array):
    stream = text.encode()

    def found(blocks):
        chunks = list(scanner.scanned(blocks, in_array=in_array))
        return [
            [item for chunk in chunks for item in getattr(chunk, name)]
            for name in ("records", "numbers", "places", "faults", "remarks")
        ]

    blocks = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert found(blocks) == found([stream])


@settings(max_examples=300, deadline=None)
@given(st.lists(values, max_size=6), st.sampled_from([None, 0, 1, 4]), st.booleans())
def test_an_array_is_what_json_says(items, indent, ascii_):
    text = json.dumps(items, indent=indent, ensure_ascii=ascii_)
    source, chunks = read(text.encode())
    assert source.unit == "element"
    assert [json.loads(r) for c in chunks for r in c.records] == items
    assert [n for c in chunks for n in c.numbers] == list(range(1, len(items) + 1))
    assert not any(chunk.faults or chunk.remarks for chunk in chunks)


def nested(value):
    """A valid element that holds what looks like the beginning of another one."""
    return {"messages": value["messages"], "history": [value, {"earlier": [value, value]}]}


def test_a_record_inside_a_valid_record_is_no_record():
    items = [nested(conversation(n)) for n in range(5)]
    for indent in (None, 0, 1):
        _, chunks = read(json.dumps(items, indent=indent).encode())
        assert [json.loads(r) for c in chunks for r in c.records] == items


def lose_the_last_brace(text):
    return text[:-1]


def lose_a_bracket(text):
    return text.replace("]", "", 1)


def open_a_quote(text):
    return text.replace('"}', "}", 1)


def quote_inside(text):
    return text.replace("words", 'wo"rds', 1)


def close_twice(text):
    return text + "}"


def cut(text):
    return text[: len(text) // 2]


DAMAGES = (lose_the_last_brace, lose_a_bracket, open_a_quote, quote_inside, close_twice, cut)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("first_key", ["messages", "id"])
@pytest.mark.parametrize("between", [",", ",\n", ", ", ""])
@pytest.mark.parametrize("which", ["one", "every third", "all but the last"])
def test_a_broken_element_takes_no_other_with_it(damage, first_key, between, which):
    items = [
        {first_key: n, **conversation(n)} if first_key == "id" else conversation(n)
        for n in range(40)
    ]
    broken = {
        "one": {7},
        "every third": set(range(1, 40, 3)),
        "all but the last": set(range(1, 39)),
    }[which]
    written = [damage(json.dumps(v)) if n in broken else json.dumps(v) for n, v in enumerate(items)]
    if damage is cut and not between:
        pytest.skip("cut behind a colon, an element cannot be told from a value")
    _, chunks = read(("[" + between.join(written) + "]").encode())
    found = []
    for record in (record for chunk in chunks for record in chunk.records):
        try:
            found.append(json.loads(record))
        except ValueError:
            continue
    assert [item for n, item in enumerate(items) if n not in broken] == [
        v for v in found if v in items and items.index(v) not in broken
    ]


def test_a_file_in_which_every_element_is_broken_does_not_take_for_ever(monkeypatch):
    text = ("[" + ",".join(json.dumps(conversation(n))[:-1] for n in range(20_000)) + "]").encode()
    chunks = list(scanner.scanned([text], in_array=True))
    assert sum(len(chunk.records) for chunk in chunks) == 20_000


def test_bytes_that_are_no_characters_cost_their_own_line_only():
    lines = [json.dumps(conversation(n)) for n in range(6)]
    for encoding, wrong in (("utf-16-le", b"\x00\xd8"), ("utf-32-le", b"\xff\xff\xff\xff")):
        data = b"".join(
            line.encode(encoding) + (wrong if n == 2 else b"") + "\n".encode(encoding)
            for n, line in enumerate(lines)
        )
        _, chunks = read(data[:-1])
        found = [record for chunk in chunks for record in chunk.records]
        assert [record.decode() for n, record in enumerate(found[:5]) if n != 2] == (
            lines[:2] + lines[3:5]
        )
        assert len(found) >= 6


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "bb", "", "{}", "\r", "\n", "\r\n", "ccc\n"])), st.integers(1, 9)
)
def test_slices_end_behind_line_ends_and_cover_the_file(parts, size):
    data = b'{"messages":[1]}\n' + "".join(parts).encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.jsonl"
        path.write_bytes(data)
        slices = list(sniff(path).slices(size))
    assert [begin for begin, _ in slices] == [0, *[end for _, end in slices[:-1]]]
    assert slices[-1][1] == len(data)
    for _, end in slices[:-1]:
        assert data[end - 1 : end] in (b"\n", b"\r")
        assert data[end - 1 : end + 1] != b"\r\n"


def test_a_file_of_cr_only_is_cut_into_slices_too(tmp_path, monkeypatch):
    path = tmp_path / "file.jsonl"
    path.write_bytes(b'{"messages":[1]}\n' + b'{"messages":[2]}\r' * 20_000)
    slices = list(sniff(path).slices(10_000))
    assert max(end - begin for begin, end in slices) < 11_000
    assert opening.look(path).is_plain


def test_only_single_characters_repeat_possessively():
    # A possessive group ends in the wrong place before Python 3.11.5, the Python of Debian 12 among them.
    assert not re.search(r"\)[*+?]\+", Path(scanner.__file__).read_text("utf-8"))
