"""Every line of a file that came in is accounted for: imported, there already, or refused by name."""

import gzip
import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.dataset.errors import UnreadableInput
from curator.formats import opening, records, scanner
from curator.project import Project
from curator.project.imports.importing import import_files


def conversation(n, answer="An answer."):
    messages = [{"role": "user", "content": f"Question {n}?"}]
    return {"messages": [*messages, {"role": "assistant", "content": answer}]}


def line(n):
    return json.dumps(conversation(n))


def run(project, *paths):
    return import_files(project, paths, progress=lambda *_: None, cancelled=lambda: False)


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "desk.curator") as project:
        yield project


@pytest.fixture
def file(tmp_path):
    def made(text, name="chats.json"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return made


def contents(project):
    return [json.loads(content) for _, content in project.iterate(None)]


def kept(report):
    return b"".join(path.read_bytes() for path in report.rejects_files)


# A piece holds a word of its own (@0@, @1@, ...), so that it can be found again wherever it went.
PIECES = (
    '{"messages":[{"role":"user","content":"@"},{"role":"assistant","content":"x"}]}',
    '{"messages":[{"role":"user","content":"@"}],"id":"]}{["}',
    '{"messages":[{"role":"user","content":"@',
    '{"messages":[{"role":"user","content":"@\nraw"}]}',
    '{\n "messages": [\n  {"role": "user", "content": "@"}\n ]\n}',
    '[{"messages":[{"role":"user","content":"@"}]}]',
    '[{"messages":[{"role":"user","content":"@"}]},,{"messages":[]}',
    '[{"messages":[{"role":"user","content":"@"}]}]]',
    '[INFO] "@" began',
    '{"text":"@"}',
    "xyz @",
    "@}]",
    '["@"]',
)


@st.composite
def mixtures(draw):
    pieces = draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8))
    ends = st.sampled_from(["\n", "\r\n", "\r", "\n\n", ",\n"])
    named = [piece.replace("@", f"@{n}@") for n, piece in enumerate(pieces)]
    return len(pieces), "".join(piece + draw(ends) for piece in named)


@settings(max_examples=120, deadline=None)
@given(mixtures(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32-be"]), st.booleans())
def test_what_stood_in_a_file_is_in_the_project_or_among_the_refused(mixture, encoding, packed):
    count, text = mixture
    data = text.encode(encoding)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chats.jsonl"
        path.write_bytes(gzip.compress(data) if packed else data)
        with Project.create(Path(folder) / "desk.curator") as project:
            try:
                report = run(project, path)
            except UnreadableInput:
                # One sentence for the whole file, and no traces.
                assert project.count() == 0
                assert not list(Path(folder).glob("*rejects*"))
                return
            stored = "".join(content for _, content in project.iterate(None))
            refused = kept(report).decode()
            for n in range(count):
                assert f"@{n}@" in stored or f"@{n}@" in refused, f"@{n}@ is lost"
            (source,) = report.sources
            assert source.records == source.imported + source.unchanged + source.rejected
            assert source.imported == project.count()
            assert source.rejected == len(report.rejected_rows)
            assert all(row.reason.endswith(".") for row in report.rejected_rows)


RAW = '{"messages":[{"role":"user","content":"two\nraw"},{"role":"assistant","content":"b"}]}'


@pytest.mark.parametrize(
    ("text", "imported", "refused"),
    [
        (f"[{line(1)},\n{RAW},\n{line(3)}]", 2, [(2, "F01", "line break")]),
        (f"[{line(1)},\n{RAW.replace(chr(10), chr(13))}]", 1, [(2, "F01", "carriage return")]),
        (f"[{line(1)},\n{line(2)}", 2, [(3, "F01", "has no end")]),
        (f'[{line(1)},\n{{"messages":[{{"role":"us', 1, [(2, "F01", "ends in the middle")]),
        (f"[{line(1)},,{line(2)}]", 2, [(2, "F01", "Nothing stands before this comma")]),
        (f"[{line(1)}]]", 1, [(2, "F01", "")]),
        (f"[{line(1)}, xyz {line(2)}] end", 2, [(2, "F01", ""), (4, "F01", "")]),
        (f"[{line(1)}, 7, null, {line(2)}]", 2, [(2, "F02", "number"), (3, "F02", "null")]),
        (f"[[{line(1)}], {line(2)}]", 1, [(1, "F02", "array")]),
    ],
)
def test_what_is_wrong_in_an_array_is_named_and_the_rest_gets_in(
    project, file, text, imported, refused
):
    report = run(project, file(text))
    assert report.imported == imported
    found = [(row.line, row.rule) for row in report.rejected_rows]
    assert found == [(number, rule) for number, rule, _ in refused]
    for row, (_, _, words) in zip(report.rejected_rows, refused, strict=True):
        assert words in row.reason
        assert "line" not in row.reason.replace("line break", "").replace("begins on line", "")
        assert row.unit == "element"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (f"[{line(1)}\n{line(2)}\n{line(3)}]", "2 commas are missing between elements"),
        (f"[{line(1)}]\n[{line(2)},{line(3)}]", ""),
        (f"[{line(1)}][{line(2)}] {line(3)}", ""),
        (f"[{line(1)},\n{line(2)},\n{line(3)},\n]", ""),
        (f"{line(1)},\n{line(2)},\n{line(3)}\n", ""),
        (f'{{"version": 1, "data": [{line(1)}, {line(2)}, {line(3)}]}}', "inside one object"),
        ("\n".join(json.dumps(conversation(n), indent=2) for n in (1, 2, 3)), ""),
        (f"{json.dumps(conversation(1), indent=2)}\n{line(2)}\n{line(3)}\n", ""),
        (f"{line(1)}\n{json.dumps(conversation(2), indent=2)}\n{line(3)}\n", ""),
        (f"// words\n[\n{line(1)},\n{line(2)}, // more\n{line(3)}\n]\n", None),
        (f"Here is the data:\n[\n{line(1)},\n{line(2)},\n{line(3)}\n]\n", None),
    ],
)
def test_what_a_person_can_read_gets_in(project, file, text, note):
    report = run(project, file(text))
    assert contents(project) == [conversation(n) for n in (1, 2, 3)]
    if note is None:
        assert report.rejected
        return
    assert report.rejected == 0
    assert len(report.notes) == bool(note)
    assert note in "".join(report.notes)


def test_a_first_line_that_begins_with_a_bracket_by_accident_takes_no_other_with_it(project, file):
    for number, first in enumerate(["[INFO] started", "[", "[1, 2", '["a", "b"]', "[x](y)", "]"]):
        rows = [line(f"{number}-{n}") for n in range(30)]
        report = run(project, file("\n".join([first, *rows, "{broken"]), f"{number}.jsonl"))
        assert report.imported == 30, first
        assert report.rejected >= 1, first


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("in_array", [True, False])
def test_a_first_record_may_be_longer_than_what_is_looked_at(project, file, indent, in_array):
    long = conversation(1, "word " * (opening.HEAD // 3))
    values = [long, conversation(2)]
    text = "\n".join(json.dumps(value, indent=indent) for value in values)
    report = run(project, file(json.dumps(values, indent=indent) if in_array else text))
    assert contents(project) == values
    assert report.rejected == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"conversations": [{"from": "narrator", "value": "a"}]}\n' * 3, 'ShareGPT .* "narrator'),
        ('{"input": {}, "preferred_output": [], "non_preferred_output": []}\n' * 3, "preference"),
        ('{"prompt": "a", "reference_answer": "b"}\n' * 3, "reinforcement"),
        ('{"instruction": "a", "output": ["b"]}\n' * 3, "Alpaca .* an array"),
        (json.dumps([{"prompt": "a", "completion": 5}] * 3, indent=1), "Prompt and completion"),
        ("{broken\n" * 3, "holds no JSON objects"),
        ("[1, 2, 3]", "list"),
        ("{\n  color: red;\n}\n" * 9, "holds no JSON objects"),
        ('{"name": "x", "version": 1}', "messages"),
    ],
)
def test_a_file_of_another_kind_is_one_sentence(project, file, tmp_path, text, words):
    before = sorted(each.name for each in tmp_path.iterdir())
    with pytest.raises(UnreadableInput, match=words) as caught:
        run(project, file(text, "other.json"))
    assert str(caught.value).startswith("other.json ")
    assert str(caught.value).count(". ") <= 1
    assert not project.sources()
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([*before, "other.json"])


def test_an_empty_file_is_said_to_be_empty(project, file):
    report = run(
        project,
        file("", "a.jsonl"),
        file("\n \n", "b.jsonl"),
        file("[]", "c.json"),
        file(b"\xef\xbb\xbf", "d.jsonl"),
        file(gzip.compress(b""), "e.jsonl.gz"),
    )
    assert [note.partition(" ")[0] for note in report.notes] == [
        "a.jsonl",
        "b.jsonl",
        "c.json",
        "d.jsonl",
        "e.jsonl.gz",
    ]
    assert all(("empty" in note) or ("blank" in note) for note in report.notes)


def test_reinforcement_lines_are_recognised_and_kept(project, file):
    item = {"messages": [{"role": "user", "content": "2+2?"}], "reference_answer": "4"}
    report = run(project, file("\n".join([json.dumps(item), line(1)]), "rft.jsonl"))
    assert report.imported == 2
    (note,) = report.notes
    assert note.startswith("rft.jsonl: 1 line is a reinforcement item")


def packed(count, **more):
    return gzip.compress("\n".join(line(n) for n in range(count)).encode(), **more)


def test_nothing_of_a_damaged_gzip_file_stays(project, file):
    whole = packed(20_000)
    flipped = bytearray(whole)
    flipped[len(flipped) // 2] ^= 1
    cases = {
        "flipped": bytes(flipped),
        "cut": whole[: len(whole) // 2],
        "no checksum": whole[:-8],
        "wrong checksum": whole[:-8] + b"\0" * 8,
        "something behind": whole + b"something behind",
    }
    for name, data in cases.items():
        with pytest.raises(UnreadableInput, match="damaged or cut-off gzip"):
            run(project, file(data, f"{name}.jsonl.gz"))
    assert project.count() == 0
    assert not project.sources()
    report = run(project, file(cases["cut"], "cut.jsonl.gz"), file(packed(3), "good.jsonl.gz"))
    assert project.count() == report.imported == 3
    assert "damaged" in report.unreadable[0].reason


def test_several_members_of_a_gzip_file_are_one_file(project, file):
    two = gzip.compress(line(1).encode() + b"\n") + gzip.compress(line(2).encode())
    assert run(project, file(two, "two.jsonl.gz")).imported == 2


def test_a_bomb_is_refused_before_it_fills_anything(project, file, monkeypatch):
    monkeypatch.setattr(opening, "_JUDGED_FROM", 1 << 20)
    path = file(gzip.compress(b"\n" * (30 << 20)), "bomb.jsonl.gz")
    with pytest.raises(UnreadableInput, match="unpacks to more than 200 times its size"):
        run(project, path)
    monkeypatch.setattr(opening, "_JUDGED_FROM", 1 << 40)
    monkeypatch.setattr(opening, "MOST_UNPACKED", 20 << 20)
    with pytest.raises(UnreadableInput, match="unpacks to more than"):
        run(project, path)
    assert project.count() == 0


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices are POSIX's")
@pytest.mark.timeout(60)
def test_only_regular_files_are_read(project, tmp_path):
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "zero.jsonl").symlink_to("/dev/zero")
    for name in ("pipe.jsonl", "zero.jsonl", ".", "/", "a\0b.jsonl"):
        with pytest.raises(UnreadableInput, match="cannot be read"):
            run(project, tmp_path / name)


@pytest.mark.parametrize("in_array", [True, False])
def test_a_record_that_is_too_long_is_named_and_the_others_get_in(
    project, file, monkeypatch, in_array
):
    for module in (records, scanner):
        monkeypatch.setattr(module, "LONGEST", 3 << 20)
    monkeypatch.setattr("curator.project.imports.worker.LONGEST", 3 << 20)
    long = '{"messages":[{"role":"user","content":"' + "x" * (9 << 20)
    rows = [line(1), long, line(2), line(3)]
    text = "[" + ",\n".join(rows) + "]" if in_array else "\n".join(rows)
    report = run(project, file(text))
    assert report.imported == 3
    (row,) = report.rejected_rows
    assert row.line == 2
    assert "longer than" in row.reason
    assert "9 MB" in row.reason
    assert len(kept(report)) < (1 << 20) + 10


def test_lines_behind_a_line_that_is_too_long_are_read_whatever_ends_them(
    project, file, monkeypatch
):
    monkeypatch.setattr("curator.project.imports.worker.LONGEST", 2 << 20)
    rows = [line(n) for n in range(40_000)]
    report = run(project, file("\n".join([rows[0], "\r".join(rows[1:])]), "cr.jsonl"))
    assert report.imported == 40_000
    assert report.rejected == 0
