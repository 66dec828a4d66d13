"""Reading any file that holds conversations, and one clear sentence for any other."""

import csv
import gzip
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.dataset.errors import UnreadableInput
from curator.formats import opening, records, scanner
from curator.formats.json_records import sniff

LINES = [
    json.dumps(
        {
            "messages": [
                {"role": "user", "content": f'Frage {n}: ä 中 😀 [{{,}}] \\ " \u2028\u0085'}
            ]
        },
        ensure_ascii=bool(n % 2),
    )
    for n in range(6)
]


def read(path):
    return [record for chunk in sniff(path).read() for record in chunk.records if record.strip()]


def numbers(path):
    return [
        number
        for chunk in sniff(path).read()
        for record, number in zip(chunk.records, chunk.numbers, strict=True)
        if record.strip()
    ]


@pytest.fixture
def file(tmp_path):
    def made(data, name="file.jsonl"):
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return made


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_encodings_and_line_ends(file, encoding, end, last):
    path = file((end.join(LINES) + (end if last else "")).encode(encoding))
    assert [json.loads(r) for r in read(path)] == [json.loads(line) for line in LINES]
    assert numbers(path) == [1, 2, 3, 4, 5, 6]


def test_mixed_line_ends_and_blank_lines_keep_their_numbers(file):
    path = file("\n\r\n".join(LINES[:2]) + "\r" + LINES[2] + "\r\n\r\n" + LINES[3])
    assert numbers(path) == [1, 3, 4, 6]


def test_gzip_is_opened_whatever_its_name(file):
    path = file(gzip.compress("\n".join(LINES).encode()))
    assert len(read(path)) == 6
    assert not sniff(path).is_sliceable


def test_a_cut_gzip_file_is_named(file):
    path = file(gzip.compress("\n".join(LINES * 50).encode())[:-12])
    with pytest.raises(UnreadableInput, match="damaged or cut-off gzip"):
        read(path)


def test_an_array_and_pretty_objects_are_the_same_records(file):
    values = [json.loads(line) for line in LINES]
    layouts = {
        "array": json.dumps(values),
        "pretty array": json.dumps(values, indent=2),
        "pretty objects": "\n".join(json.dumps(v, indent=4) for v in values),
        "pretty with CR LF": "\r\n".join(
            json.dumps(v, indent=1).replace("\n", "\r\n") for v in values
        ),
    }
    for name, text in layouts.items():
        found = read(file(text, "file.json"))
        assert [json.loads(r) for r in found] == values, name
        assert not any(b"\n" in r or b"\r" in r for r in found), name


def test_numbers_count_elements_of_an_array_and_lines_of_pretty_objects(file):
    values = [json.loads(line) for line in LINES[:3]]
    assert numbers(file(json.dumps(values))) == [1, 2, 3]
    text = "\n".join(json.dumps(v, indent=1) for v in values)
    starts = [n for n, line in enumerate(text.split("\n"), 1) if line == "{"]
    assert numbers(file(text)) == starts


def test_a_broken_element_leaves_the_others(file):
    path = file('[{"messages": [1]}, {"messages": [}, 7, {"messages": [2]}]')
    assert read(path)[0] == b'{"messages": [1]}'
    assert b"7" in b" ".join(read(path))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.recursive(st.text(max_size=5) | st.integers() | st.none(), st.lists), max_size=5),
    st.integers(1, 40),
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_records_do_not_depend_on_where_blocks_end(values, size, in_array, indent):
    objects = [{"a": value, '"{,': "\\"} for value in values]
    if in_array:
        data = json.dumps(objects, indent=indent).encode()
    else:
        data = "\n".join(json.dumps(o, indent=indent) for o in objects).encode()
    blocks = [data[at : at + size] for at in range(0, len(data), size)]
    found = [r for c in scanner.scanned(blocks, in_array=in_array) for r in c.records]
    assert [json.loads(record) for record in found] == objects


@settings(max_examples=150)
@given(st.lists(st.sampled_from(["a", "bb", "", "\u2028"])), st.integers(1, 7), st.data())
def test_lines_do_not_depend_on_where_blocks_end(pieces, size, data):
    ends = [data.draw(st.sampled_from(["\n", "\r\n", "\r"])) for _ in pieces]
    text = "".join(p + e for p, e in zip(pieces, ends, strict=True)).encode()
    blocks = [text[at : at + size] for at in range(0, len(text), size)]
    found = [
        (number, record.rstrip(b"\r"))
        for chunk in records.lines(blocks)
        for number, record in zip(chunk.numbers, chunk.records, strict=True)
    ]
    expected = io.StringIO(text.decode(), newline=None).read().split("\n")
    assert [pair for pair in found if pair[1]] == [
        (number, line.encode()) for number, line in enumerate(expected, 1) if line
    ]


def test_slices_cover_the_file_and_end_at_line_ends(file):
    path = file("\ufeff" + "\n".join(LINES * 40))
    data = path.read_bytes()
    slices = list(sniff(path).slices(1_000))
    assert slices[0][0] == 3
    assert slices[-1][1] == len(data)
    assert [end for _, end in slices[:-1]] == [begin for begin, _ in slices[1:]]
    assert all(data[end - 1 : end] == b"\n" for _, end in slices[:-1])
    assert len(slices) > 5


def test_a_list_on_the_first_line_does_not_make_the_file_an_array(file):
    path = file('[{"role": "user", "content": "a"}]\n' + LINES[0])
    assert sniff(path).shape == "lines"


def test_a_first_line_that_was_cut_off_does_not_hide_the_others(file):
    for cut in (30, 13, 40):
        path = file(LINES[0][:cut] + "\n" + "\n".join(LINES[1:]))
        assert sniff(path).shape == "lines"
        assert len(read(path)) == 6


def test_prose_before_the_first_object_does_not_hide_the_others(file):
    assert len(read(file("Here is your data:\n" + "\n".join(LINES)))) == 7


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"prompt,completion\na,b\n", "table"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (b"SQLite format 3\x00" + b"\x00" * 100, "open it instead"),
        (b"PK\x03\x04abc", "ZIP"),
        (b"PAR1abc", "Parquet"),
        (b"\x01\x02\x00\x03\x09", "not a text file"),
        (b"hello\n", "no JSON objects"),
    ],
)
def test_other_files_get_one_clear_sentence(file, data, words):
    path = file(data)
    with pytest.raises(UnreadableInput, match=words) as caught:
        sniff(path)
    assert str(caught.value).startswith("file.jsonl ")
    assert str(caught.value).endswith(".")
    assert caught.value.path == str(path)


def test_what_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(UnreadableInput, match="cannot be read"):
        sniff(tmp_path / "nothing.jsonl")
    with pytest.raises(UnreadableInput, match="cannot be read"):
        sniff(tmp_path)


def test_empty_files_have_no_records(file):
    for data in (b"", b"\n\n\r\n", b"\xef\xbb\xbf"):
        assert read(file(data)) == []


def test_a_record_that_is_too_long_is_named_and_only_its_start_is_kept(monkeypatch):
    for module in (records, scanner):
        monkeypatch.setattr(module, "LONGEST", 1_000)
        monkeypatch.setattr(module, "KEPT", 100)
    blocks = [b"[", *[b'{"a": "' + b"x" * 300] * 20, b'"}, {"messages": [1]}]']
    (chunk,) = scanner.scanned(blocks, in_array=True)
    assert [len(record) for record in chunk.records] == [100, 17]
    assert chunk.long == {0: 20 * 307 + 2}
    chunk, last = records.lines([*[b"x" * 700] * 5, b"yy\nz"])
    assert [len(record) for record in (*chunk.records, *last.records)] == [102, 1]
    assert chunk.long == {0: 3_502}


@pytest.mark.data
def test_every_file_of_the_encoding_list_has_its_good_records(development_data):
    folder = development_data / "bad" / "encoding"
    with (folder / "EXPECTED.tsv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    seen = 0
    for row in rows:
        path = folder / row["file"]
        if path.suffix not in (".jsonl", ".json"):
            with pytest.raises(UnreadableInput):
                sniff(path)
            continue
        good = 0
        for record in read(path):
            try:
                good += isinstance(json.loads(record.decode("utf-8").strip()), dict)
            except ValueError:
                continue
        assert good == int(row["good_records"]), row["file"]
        seen += 1
    assert seen > 20


@pytest.mark.data
def test_json_test_suite_neither_crashes_nor_hangs(development_data):
    for path in sorted((development_data / "bad" / "jsontestsuite").iterdir()):
        try:
            for record in read(path):
                assert record
        except UnreadableInput:
            continue


def test_looking_reads_only_the_head(file):
    path = file(("\n".join(LINES) + "\n") * 2_000)
    found = opening.look(path)
    assert len(found.head) == opening.HEAD
    assert not found.whole
