"""The proof of an export: what was written is what stands there, and every line of it is sound."""

import os

import pytest

from curator.dataset.errors import Cancelled
from curator.project.proving import Proving, Unfaithful
from curator.project.strictness import check_file
from tests.project.projects import line


def lines(count=400, faulty=()):
    made = [line(f"{n}", "x" * 50).encode() for n in range(count)]
    for number in faulty:
        made[number] = b"nonsense"
    return [raw + b"\n" for raw in made]


def write(proving, path, rows, at_once):
    """Write rows as an export does: range by range, each of some blocks."""
    with path.open("ab", buffering=0) as file:
        for begin in range(0, len(rows), at_once):
            blocks = [b"".join(rows[begin : begin + at_once // 2]), b""]
            blocks.append(memoryview(b"".join(rows[begin + at_once // 2 : begin + at_once])))
            for block in blocks:
                file.write(block)
            proving.written(path, blocks)


@pytest.mark.parametrize("at_once", [2, 7, 90, 1_000])
def test_many_ranges_are_proved_as_one_file(tmp_path, at_once):
    path = tmp_path / "f.jsonl"
    with Proving() as proving:
        write(proving, path, lines(faulty=(123, 300)), at_once)
        found = proving.result(path)
    assert found == check_file(path)
    assert [problem.line for problem in found.problems] == [124, 301]


def test_files_written_in_turns_are_proved_each_for_itself(tmp_path):
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    with Proving() as proving:
        for begin in range(0, 400, 40):
            write(proving, one, lines()[begin : begin + 30], 16)
            write(proving, other, lines()[begin + 30 : begin + 40], 4)
        assert proving.result(one) == check_file(one)
        assert proving.result(other) == check_file(other)


def test_an_empty_file_is_proved(tmp_path):
    path = tmp_path / "f.jsonl"
    path.touch()
    with Proving() as proving:
        proving.written(path, [])
        assert proving.result(path) == check_file(path)


def test_a_changed_byte_is_noticed(tmp_path):
    """A disk that keeps something else than it was given, with the same length."""
    path = tmp_path / "f.jsonl"
    rows = lines()
    path.write_bytes(b"".join(rows).replace(b"xxx", b"xyx", 1))
    with Proving() as proving:
        proving.written(path, [b"".join(rows)])
        with pytest.raises(Unfaithful):
            proving.result(path)


@pytest.mark.parametrize("change", [-5, 5])
def test_a_lost_or_strange_end_is_noticed(tmp_path, change):
    path = tmp_path / "f.jsonl"
    raw = b"".join(lines())
    path.write_bytes(raw)
    os.truncate(path, len(raw) + change)
    with Proving() as proving:
        proving.written(path, [raw])
        with pytest.raises(Unfaithful):
            proving.result(path)


def test_a_file_that_is_gone_is_told(tmp_path):
    with Proving() as proving:
        proving.written(tmp_path / "gone.jsonl", lines(1))
        with pytest.raises(FileNotFoundError):
            proving.result(tmp_path / "gone.jsonl")


def test_proving_can_be_stopped(tmp_path):
    path = tmp_path / "f.jsonl"
    with Proving() as proving:
        write(proving, path, lines(), 40)
        with pytest.raises(Cancelled):
            proving.result(path, cancelled=lambda: True)
