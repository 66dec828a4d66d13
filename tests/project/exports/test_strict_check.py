import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.curate.checks.kinds import kinds_of
from curator.dataset.rule import load_rules
from curator.project.exports import strict_check
from curator.project.exports.strict_check import check_file, check_piece
from tests.project.projects import line

CLEAN = line("a", "b").encode()
SIGNS = [
    *(
        "-----BEGIN PRIVATE KEY-----",
        "sk-proj-abcdefghijklmnop12345678",
        "sk_live_0123456789abcdef",
    ),
    *("ghp_" + "a1" * 18, "ghs_" + "b2" * 20, "github_pat_" + "c3" * 12, "glpat-" + "d4" * 10),
    *("hf_" + "e5" * 16, "AKIA0123456789ABCDEF", "AIza" + "f6" * 17 + "g", "xoxb-" + "1a" * 12),
    *("eyJ" + "a" * 12 + ".eyJ" + "b" * 12 + "." + "c" * 12, "ftp://me:secret@host.org"),
    "AccountKey=" + "Ab1/" * 12,
]
PIECE = st.sampled_from(
    [*SIGNS, " ", "x", "my-word_here", "Jane @ AI = J", "é", "\n", "/", "\\", '"']
)
TEXT = st.lists(PIECE, min_size=1, max_size=4).map("".join)
ROLE = st.sampled_from(["user", "assistant", "system", "tool", "usr"])


@given(st.lists(st.tuples(ROLE, TEXT), max_size=4), st.booleans(), st.booleans())
def test_the_quick_way_and_the_thorough_one_agree(turns, escaped, slashes):
    value = {"messages": [{"role": role, "content": text} for role, text in turns]}
    text = json.dumps(value, ensure_ascii=escaped)
    raw = (text.replace("/", "\\/") if slashes else text).encode()
    quick = [(each.rule, each.message) for each in check_piece(raw + b"\n")[1]]
    assert sorted(quick) == sorted(strict_check._thorough(raw))


def test_every_kind_of_secret_has_its_sign_here():
    for kind in kinds_of("P01"):
        assert any(kind.pattern.search(sign) for sign in SIGNS), kind.name
    for sign in SIGNS:
        assert check_piece(line("a", f"see {sign} there").encode() + b"\n")[1], sign


def test_the_only_rules_on_words_that_are_errors_are_looked_at():
    grave = {
        rule.id
        for rule in load_rules().values()
        if rule.id in ("L03", "P01", "P02", "P03", "S08", "F11", "F12", "F13")
        and rule.severity_for(strict_check.PROFILE) == "error"
    }
    assert grave <= {"P01"}


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"[]",
        b"nonsense",
        CLEAN + b" {}",
        CLEAN.replace(b"user", b"usr"),
        CLEAN.replace(b'"b"', b"7"),
        CLEAN.replace(b'"b"', b'"\\ud800"'),
        CLEAN.replace(b'"a"', b'"\xff"'),
        CLEAN.replace(b'"role":"user"', b'"role":"user","x":1'),
        CLEAN.replace(b'"role":"user"', b'"role":"system","role":"user"'),
        CLEAN.replace(b'"role":"user"', b'"r\\u006fle":"system","role":"user"'),
        b'{"messages":[]}',
    ],
)
def test_no_disguise_helps(bad, tmp_path):
    assert check_piece(bad + b"\n")[1]
    path = tmp_path / "f.jsonl"
    path.write_bytes(b"".join(CLEAN + b"\n" for _ in range(100)) + bad + b"\n" + CLEAN + b"\n")
    found = check_file(path)
    assert {problem.line for problem in found.problems} == {101}
    assert found.rows == 102


def test_a_file_is_read_in_pieces(tmp_path, monkeypatch):
    path = tmp_path / "f.jsonl"
    path.write_bytes(b"".join(line(f"{n}", "x" * n).encode() + b"\n" for n in range(1, 300)))
    whole = check_file(path)
    monkeypatch.setattr(strict_check, "_READ", 50)
    assert check_file(path) == whole
    assert (whole.rows, whole.problems) == (299, ())


def test_a_file_that_ends_in_the_middle_is_told(tmp_path):
    path = tmp_path / "f.jsonl"
    path.write_bytes(CLEAN + b"\n" + CLEAN)
    found = check_file(path)
    assert [(p.line, p.rule) for p in found.problems] == [(2, "F06")]
    path.write_bytes(b"")
    assert check_file(path).rows == 0


@pytest.mark.parametrize(
    ("raw", "wrong"),
    [
        (CLEAN + b" " + CLEAN + b"\n\n" + CLEAN + b"\n", {1, 2}),
        (CLEAN[:13] + b"\n" + CLEAN[13:] + b"\n" + CLEAN + CLEAN + b"\n", {1, 2, 3}),
        (CLEAN.replace(b"},{", b"},\n{") + b"\n" + CLEAN + b" " + CLEAN + b"\n", {1, 2, 3}),
    ],
)
def test_two_objects_on_a_line_do_not_make_up_for_a_line_without_one(raw, wrong, tmp_path):
    path = tmp_path / "f.jsonl"
    path.write_bytes(raw)
    found = check_file(path)
    assert found.rows == 3
    assert {problem.line for problem in found.problems} == wrong
