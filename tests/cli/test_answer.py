import io
import json

from curator.cli import answer
from curator.dataset.errors import (
    Cancelled,
    GateFailed,
    ProjectError,
    TargetError,
    UnreadableInput,
    WrongUse,
)


def test_a_failure_has_the_four_keys_of_the_contract():
    told = answer.failure(UnreadableInput("No.", "a.jsonl", 7))
    assert told.keys == {
        "error": {"kind": "unreadable_input", "message": "No.", "path": "a.jsonl", "line": 7}
    }
    assert told.code == 2


def test_exit_codes_follow_the_kind():
    codes = {
        WrongUse("x"): 2,
        ProjectError("x"): 2,
        GateFailed("x"): 1,
        TargetError("x"): 1,
        Cancelled("x"): 130,
    }
    assert {error: answer.failure(error).code for error in codes} == codes


def test_json_is_one_object_in_ascii_whatever_the_texts_hold(capsys):
    answer.Answer({"text": "Grüße \ud83d \u2028"}).show(as_json=True)
    told = capsys.readouterr().out
    assert told.isascii()
    assert json.loads(told) == {"text": "Grüße \ud83d \u2028"}


def test_lines_survive_a_terminal_that_cannot_show_them(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", stream)
    answer.write("Grüße \ud83d")
    stream.flush()
    assert stream.buffer.getvalue() == b"Gr\\xfc\\xdfe \\ud83d\n"


def test_table_aligns_numbers_to_the_right():
    assert answer.table([("a", "7"), ("bcd", "1,200")]) == ("a        7", "bcd  1,200")
    assert answer.table([]) == ()
