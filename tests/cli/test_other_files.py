"""A whole file of another kind is one sentence, said before time is spent, and it leaves nothing behind."""

import gzip
import json

import pytest

from curator.formats import opening
from tests.cli.sample_lines import line, questions, write

TWICE = "encoded twice"
ROWS = questions(6)
ACCENTS = [line(f"Où est mon café n° {n}, s'il vous plaît?", "Là, à côté.") for n in range(5)]
ACCENTS = [json.dumps(json.loads(each), ensure_ascii=False) for each in ACCENTS]
GREEK = [json.dumps({"messages": [{"role": "user", "content": "καλημέρα κόσμε"},
         {"role": "assistant", "content": "γειά σου φίλε"}]}, ensure_ascii=False)] * 3  # fmt: skip


def text(rows, encoding="utf-8"):
    return "".join(f"{each}\n" for each in rows).encode(encoding)


KINDS = {
    "each line a text": (text(map(json.dumps, ROWS)), TWICE),
    "one text with all lines": (text([json.dumps("\n".join(ROWS))]), TWICE),
    "a list of texts": (json.dumps(ROWS).encode(), TWICE),
    "Windows-1252": (text(ACCENTS, "cp1252"), "WINDOWS-1252"),
    "Latin-1": (text(ACCENTS, "latin-1"), "WINDOWS-1252"),
    "an array in Windows-1252": (f"[{','.join(ACCENTS)}]".encode("cp1252"), "WINDOWS-1252"),
    "Greek": (text(GREEK, "cp1253"), "an older encoding"),
    "noise": (bytes(range(256)) * 40, "is not a text file"),
    "a database with conversations": (b"SQLite format 3\0\n" + text(ROWS), "is a database"),
    "a file of Office with lines": (b"PK\x03\x04\0\0\n" + text(ROWS), "ZIP archive"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_kind_is_one_sentence_and_leaves_nothing(kind, curator, tmp_path):
    data, words = KINDS[kind]
    path = tmp_path / "strange.jsonl"
    path.write_bytes(data)
    curator("new", tmp_path / "a.curator")
    before = sorted(tmp_path.iterdir())
    code, told = curator("import", tmp_path / "a.curator", path)
    assert (code, told["error"]["kind"]) == (2, "unreadable_input"), told
    assert words in told["error"]["message"]
    assert sorted(tmp_path.iterdir()) == before
    assert curator("history", tmp_path / "a.curator")[1]["steps"] == []


def test_plain_rows_get_in_and_the_encoding_of_the_others_is_named(curator, tmp_path):
    path = tmp_path / "mixed.jsonl"
    path.write_bytes(text([*ROWS, *ACCENTS], "cp1252"))
    curator("new", tmp_path / "a.curator")
    code, told = curator("import", tmp_path / "a.curator", path)
    assert (code, told["imported"], told["rejected"]) == (1, 6, 5)
    assert "iconv -f WINDOWS-1252" in told["notes"][0]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("cut", [1, 3])
def test_a_file_cut_in_the_middle_of_a_character_is_told_so(encoding, cut, curator, tmp_path):
    path = tmp_path / "cut.jsonl"
    path.write_bytes("\n".join(ROWS).encode(encoding)[:-cut])
    curator("new", tmp_path / "a.curator")
    code, told = curator("import", tmp_path / "a.curator", path)
    assert (code, told["imported"], told["rejected"]) == (1, 5, 1)
    assert "cut off in the middle of a character" in told["rejected_rows"][0]["reason"]


@pytest.mark.parametrize("verb", ["import", "check", "count", "label"])
def test_a_packed_file_that_is_too_large_is_refused_by_what_its_end_says(
    verb, curator, tmp_path, monkeypatch
):
    monkeypatch.setattr(opening, "MOST_UNPACKED", 100_000)
    path = tmp_path / "large.jsonl.gz"
    path.write_bytes(gzip.compress(text(questions(2_000))))
    write(tmp_path / "a.jsonl", *ROWS)
    curator("new", tmp_path / "a.curator")
    project = tmp_path / "a.curator"
    words = {
        "import": ["import", project, path],
        "label": ["label", project, "import", path],
    }.get(verb, [verb, path])
    read = []
    monkeypatch.setattr(opening.gzip.GzipFile, "read", lambda *_: read.append(1) or b"")
    code, told = curator(*words)
    assert (code, told["error"]["kind"]) == (2, "unreadable_input"), told
    assert "as its end says" in told["error"]["message"]
    assert not read


@pytest.mark.parametrize("verb", ["import", "check", "count"])
def test_a_packed_file_that_lies_about_its_size_is_given_up_before_its_rows_are_read(
    verb, curator, tmp_path, monkeypatch
):
    monkeypatch.setattr(opening, "MOST_UNPACKED", 100_000)
    path = tmp_path / "many.jsonl.gz"
    path.write_bytes(b"".join(gzip.compress(text([each])) for each in questions(2_000)))
    curator("new", tmp_path / "a.curator")
    code, told = curator(*([verb, tmp_path / "a.curator"] if verb == "import" else [verb]), path)
    assert (code, told["error"]["kind"]) == (2, "unreadable_input"), told
    assert "unpacks to more than" in told["error"]["message"]


@pytest.mark.parametrize("data", [text(ROWS), b"\0\1\2", None])
def test_a_project_that_does_not_exist_is_never_made_by_an_import(data, curator, tmp_path):
    if data is not None:
        (tmp_path / "f.jsonl").write_bytes(data)
    for place in ("no.curator", "sub/no.curator", "no"):
        code, told = curator("import", tmp_path / place, tmp_path / "f.jsonl")
        assert code == 2
        assert "curator new" in told["error"]["message"].replace("./dev run", "curator")
    assert {path.name for path in tmp_path.iterdir()} <= {"f.jsonl", "state", "config"}


def test_no_file_that_is_no_project_becomes_one(curator, tmp_path):
    write(tmp_path / "f.jsonl", *ROWS)
    for name, data in {"empty.curator": b"", "text.curator": b"hello", "f2": b"\0" * 5_000}.items():
        (tmp_path / name).write_bytes(data)
        code, told = curator("import", tmp_path / name, tmp_path / "f.jsonl")
        assert code == 2, told
        assert (tmp_path / name).read_bytes() == data


def test_lines_behind_a_text_with_an_object_get_in(curator, tmp_path):
    path = tmp_path / "f.jsonl"
    path.write_bytes(text([json.dumps(ROWS[0]), *ROWS[1:]]))
    curator("new", tmp_path / "a.curator")
    code, told = curator("import", tmp_path / "a.curator", path)
    assert (code, told["imported"], told["rejected"]) == (1, 5, 1)
