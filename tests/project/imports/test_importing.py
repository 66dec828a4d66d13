"""Imports: everything readable gets in once, the rest is listed, and a stop loses nothing."""

import csv
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from curator.curate.analysis import tokens
from curator.curate.analysis.encodings import Engine
from curator.curate.analysis.kernel import Kernel, analyse
from curator.dataset.errors import Cancelled, UnreadableInput, WrongUse
from curator.project import Project
from curator.project.imports import importing, parts
from curator.project.imports import worker as import_worker
from curator.project.imports.importing import import_files
from curator.project.imports.rejects import Rejects
from curator.project.imports.worker import Terms, analyse_bytes

ROOT = Path(__file__).resolve().parents[3]


def line(n, answer="An answer."):
    messages = [{"role": "user", "content": f"Question {n}?"}]
    return json.dumps({"messages": [*messages, {"role": "assistant", "content": answer}]})


def run(project, *paths, cancelled=lambda: False, **more):
    return import_files(project, paths, progress=lambda *_: None, cancelled=cancelled, **more)


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "desk.curator") as project:
        yield project


@pytest.fixture
def file(tmp_path):
    def made(text, name="chats.jsonl"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    return made


def contents(project):
    return [content for _, content in project.iterate(None)]


def test_lines_are_stored_verbatim_with_their_columns(project, file):
    rows = [
        '{"messages": [ {"role":"user", "content":"ä\\u00e4 \u2028 \\u0000"} ], "id": 1.50}',
        line(1),
    ]
    report = run(project, file("\ufeff  " + "\r\n\r\n".join(rows)))
    assert contents(project) == rows
    assert (report.imported, report.rejected, report.sources[0].blank) == (2, 0, 1)
    assert project.column("source_line").tolist() == [1, 3]
    expected = analyse(
        [row.encode() for row in rows],
        encoding="o200k_base",
        rules_profile="openai_sft",
        limit=65_536,
    )
    for name, column in expected.columns.items():
        assert project.column(name).tolist() == column.tolist(), name
    assert project.titles(list(project.ids())) == expected.titles
    found = [f for id_ in project.ids().tolist() for f in project.findings(id_)]
    assert found == [f for _, f in expected.findings]


def test_the_same_file_twice_adds_nothing(project, file):
    path = file("\n".join([line(1), line(2), line(1)]))
    first = run(project, path)
    again = run(project, path)
    assert (first.imported, first.unchanged) == (3, 0)
    assert (again.imported, again.unchanged) == (0, 3)
    assert project.count() == 3


def test_only_the_copies_that_are_missing_get_in(project, file):
    run(project, file(line(1), "a.jsonl"))
    report = run(
        project,
        file("\n".join([line(1), line(2), line(1), line(2)]), "b.jsonl"),
        file("\n".join([line(2), line(3), line(2), line(2)]), "c.jsonl"),
    )
    assert [(s.imported, s.unchanged) for s in report.sources] == [(3, 1), (2, 2)]
    assert sorted(contents(project)) == sorted([line(1)] * 2 + [line(2)] * 3 + [line(3)])


def test_spacing_does_not_make_another_conversation(project, file):
    run(project, file(line(1), "a.jsonl"))
    report = run(project, file(json.dumps(json.loads(line(1)), indent=2), "b.json"))
    assert (report.imported, report.unchanged) == (0, 1)


BAD = [
    (b'{"messages": [', "F01"),
    (b"\xff{}", "F05"),
    (b"[1]", "F02"),
    (b'{"text": "a"}', "S01"),
    (b'{"messages": []}', "S02"),
    (b'{"messages": [NaN]}', "F09"),
    (b"\x00\x00", "F01"),
]


def test_refused_lines_are_listed_and_kept(project, file, tmp_path):
    rows = [line(0).encode(), *[bad for bad, _ in BAD], line(9).encode()]
    report = run(project, file(b"\n".join(rows)))
    assert report.imported == 2
    assert [(r.line, r.rule) for r in report.rejected_rows] == [
        (number, rule) for number, (_, rule) in enumerate(BAD, 2)
    ]
    assert all(r.reason.endswith(".") for r in report.rejected_rows)
    kept = tmp_path / "desk.rejects-chats.jsonl"
    assert report.rejects_file == kept
    assert kept.read_bytes() == b"".join(bad + b"\n" for bad, _ in BAD)
    table = kept.with_suffix(".tsv").read_text("utf-8").splitlines()
    assert table[0] == "line\trule\treason"
    assert [row.split("\t")[:2] for row in table[1:]] == [
        [str(number), rule] for number, (_, rule) in enumerate(BAD, 2)
    ]
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".desk.rejects")]


def test_mended_lines_can_be_imported(project, file, tmp_path):
    run(project, file(b"\n".join([line(1).encode(), b'{"messages": [,]}'])))
    kept = tmp_path / "desk.rejects-chats.jsonl"
    kept.write_text(line(2))
    assert run(project, kept).imported == 1
    # Importing the first file again must not overwrite the mended one.
    again = run(project, tmp_path / "chats.jsonl")
    assert kept.read_text() == line(2)
    assert again.rejects_file == tmp_path / "desk.rejects-chats-2.jsonl"


def test_the_report_has_the_keys_of_the_command_line(project, file):
    keys = run(project, file(line(1) + '\n{"messages": [')).to_json()
    assert json.loads(json.dumps(keys)) == keys
    assert keys["imported"] == 1
    assert keys["sources"][0].keys() >= {
        "file",
        "format",
        "confidence",
        "records",
        "imported",
        "rejected",
    }
    assert keys["rejected_rows"][0].keys() >= {"file", "line", "rule", "reason"}
    assert keys["rejects_file"].endswith("desk.rejects-chats.jsonl")


def test_nothing_is_written_where_no_file_can_be_read(project, file, tmp_path):
    with pytest.raises(UnreadableInput, match=r"table.*nothing\.jsonl cannot be read"):
        run(project, file("a,b\n1,2\n", "table.csv"), tmp_path / "nothing.jsonl")
    assert project.count() == 0
    assert not project.sources()


def test_one_file_that_cannot_be_read_does_not_keep_the_others_out(project, file, tmp_path):
    report = run(
        project,
        file(line(1), "a.jsonl"),
        file("a,b\n1,2\n", "table.csv"),
        tmp_path,
        file(line(2), "b.jsonl"),
    )
    assert contents(project) == [line(1), line(2)]
    assert [(Path(each.file).name, each.reason) for each in report.unreadable] == [
        (
            "table.csv",
            "table.csv looks like a table (CSV); save it as JSON Lines with a messages list and "
            "import that.",
        ),
        (tmp_path.name, f"{tmp_path.name} cannot be read: it is a folder; name a file in it."),
    ]
    assert [source.name for source in project.sources()] == ["a.jsonl", "b.jsonl"]


def test_an_unknown_format_is_refused(project, file):
    with pytest.raises(WrongUse, match="no format csv; use openai_chat, sharegpt"):
        run(project, file(line(1)), format="csv")


def test_a_file_that_changes_while_it_is_read_is_noticed(project, file, monkeypatch):
    monkeypatch.setattr(parts, "SLICE", 200)
    path = file("\n".join(line(n) for n in range(20)))
    calls = []

    def progress(done, total, what):
        calls.append((done, total, what))
        if len(calls) == 3:
            path.write_text(line(99) * 2)
            os.utime(path, (1, 1))

    report = import_files(project, [path], progress=progress, cancelled=lambda: False)
    (broken,) = report.unreadable
    assert "changed while it was read; import it again." in broken.reason
    assert broken.reason.endswith(f" What was read before stays ({project.count()}).")
    assert calls[0] == (0, calls[0][1], "chats.jsonl")


def test_cancelling_keeps_what_was_imported_and_the_rest_comes_later(project, file, monkeypatch):
    monkeypatch.setattr(parts, "SLICE", 300)
    path = file("\n".join(line(n) for n in range(50)))
    asked = []
    with pytest.raises(Cancelled):
        run(project, path, cancelled=lambda: bool(asked.append(1)) or len(asked) > 4)
    before = project.count()
    assert 0 < before < 50
    report = run(project, path)
    assert (report.imported, report.unchanged) == (50 - before, before)
    assert contents(project) == [line(n) for n in range(50)]


def test_parts_may_be_analysed_anywhere_and_come_in_order(project, file, monkeypatch):
    monkeypatch.setattr(parts, "SLICE", 500)
    rows = [line(n) if n % 7 else "{broken" for n in range(200)]
    with ThreadPoolExecutor(3) as executor:
        report = run(project, file("\n".join(rows)), executor=executor)
    good = [row for row in rows if row != "{broken"]
    assert contents(project) == good
    assert [r.line for r in report.rejected_rows] == [
        n + 1 for n, row in enumerate(rows) if row == "{broken"
    ]
    assert project.column("source_line").tolist() == [
        n + 1 for n, row in enumerate(rows) if row != "{broken"
    ]


def test_records_that_are_no_lines_go_to_workers_too(project, file):
    values = [json.loads(line(n)) for n in range(30)]
    with ThreadPoolExecutor(2) as executor:
        run(project, file(json.dumps(values, indent=1), "a.json"), executor=executor)
    assert [json.loads(c) for c in contents(project)] == values
    assert project.column("source_line").tolist() == list(range(1, 31))


def test_a_big_file_goes_to_worker_processes(project, file, monkeypatch):
    monkeypatch.setattr(importing, "_FEW_BYTES", 1_000)
    path = file("\n".join(line(n) for n in range(3_000)))
    assert run(project, path).imported == 3_000
    assert project.count() == 3_000


def test_a_killed_worker_does_not_end_the_import(project, file, monkeypatch):
    monkeypatch.setattr(parts, "SLICE", 2_000)
    path = file("\n".join(line(n) for n in range(300)))
    with ProcessPoolExecutor(1, parts.pool("o200k_base")._mp_context) as executor:
        executor.submit(os._exit, 1)
        time.sleep(0.5)
        assert run(project, path, executor=executor).imported == 300


def test_a_counter_that_differs_is_replaced_and_everything_counted_again(
    project, file, monkeypatch
):
    monkeypatch.setattr(importing, "counter", lambda _: tokens.Counter("o200k_base"))
    monkeypatch.setattr(parts, "SLICE", 2_000)
    seen = []

    def analyse_wrongly(path, begin, end, terms):
        seen.append(terms.trusted)
        part = analyse_bytes(import_worker.read_slice(path, begin, end), Terms(*terms[:3], False))
        if terms.trusted and len(seen) < 3:
            part.analysis.columns["tokens"] += 1
        return replace(part, miscounted=int(len(seen) == 3))

    monkeypatch.setattr(parts, "analyse_slice", analyse_wrongly)
    report = run(project, file("\n".join(line(n) for n in range(400))))
    (note,) = report.notes
    assert "counted again with tiktoken" in note
    expected = analyse(
        [content.encode() for content in contents(project)],
        encoding="o200k_base",
        rules_profile="openai_sft",
        limit=65_536,
    )
    assert project.column("tokens").tolist() == expected.columns["tokens"].tolist()
    assert seen[0]
    assert not seen[-1]


def test_a_worker_counts_a_sample_again_and_mends_a_wrong_part(monkeypatch):
    wrong = tokens.Counter("o200k_base")
    wrong._loaded, wrong._name = Engine(len, lambda texts: [7] * len(texts)), "fastokens"
    worker = Kernel("o200k_base", "openai_sft", None)
    monkeypatch.setattr(worker._path, "_counter", wrong)
    monkeypatch.setattr(worker, "counter", wrong)
    monkeypatch.setattr(import_worker, "kernel", lambda *_: worker)
    data = "\n".join(line(n) for n in range(1_000)).encode()
    part = analyse_bytes(data, Terms("o200k_base", "openai_sft", None))
    assert part.miscounted > 0
    expected = analyse(
        data.split(b"\n"), encoding="o200k_base", rules_profile="openai_sft", limit=None
    )
    assert part.analysis.columns["tokens"].tolist() == expected.columns["tokens"].tolist()
    assert analyse_bytes(data, Terms("o200k_base", "openai_sft", None)).miscounted == 0


def test_only_new_rows_are_stored(project, file):
    run(project, file("\n".join(line(n) for n in range(100)), "a.jsonl"))
    run(project, file("\n".join(line(n) for n in range(95, 105)), "b.jsonl"))
    assert contents(project)[-5:] == [line(n) for n in range(100, 105)]
    assert project.count() == 105


def test_the_source_is_noted_with_its_digest(project, file):
    path = file("\ufeff" + line(1))
    run(project, path)
    (source,) = project.sources()
    digest = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True)
    assert source.digest == digest.stdout.split()[0]


def test_rejects_without_lines_write_nothing(tmp_path):
    rejects = Rejects(tmp_path / "p.curator", tmp_path / "a.jsonl")
    assert rejects.keep() is None
    assert list(tmp_path.iterdir()) == []


def test_many_rejects_are_listed_in_part_and_kept_whole(project, file, tmp_path):
    bad = '{"messages": }\n'
    report = run(project, file(bad * 2_500))
    assert report.rejected == 2_500
    assert len(report.rejected_rows) == 1_000
    assert (tmp_path / "desk.rejects-chats.jsonl").read_text() == bad * 2_500


KILLED = """
import os, sys
from pathlib import Path
from curator.project import Project
from curator.project.imports import parts
from curator.project.imports.importing import import_files
parts.SLICE = 400
seen = []
def progress(done, total, what):
    seen.append(done)
    if len(seen) == 6:
        os.kill(os.getpid(), 9)
with Project.open(Path(sys.argv[1])) as project:
    import_files(project, [Path(sys.argv[2])], progress=progress, cancelled=lambda: False)
"""


def test_a_killed_import_keeps_its_parts_and_importing_again_adds_the_rest(tmp_path, file):
    path = file("\n".join(line(n) for n in range(60)))
    name = tmp_path / "desk.curator"
    Project.create(name).close()
    ended = subprocess.run([sys.executable, "-c", KILLED, name, path], cwd=ROOT, check=False)
    assert ended.returncode == -9
    with Project.open(name) as project:
        before = project.count()
        assert 0 < before < 60
        assert contents(project) == [line(n) for n in range(before)]
        assert run(project, path).imported == 60 - before
        assert contents(project) == [line(n) for n in range(60)]


ORPHANS = """
import os, time
from curator.project.imports.parts import pool
if __name__ == "__main__":
    executor = pool("o200k_base")
    pids = {executor.submit(os.getpid).result() for _ in range(4)}
    print(*pids, flush=True)
    os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_of_a_killed_program_end(tmp_path):
    script = tmp_path / "orphans.py"
    script.write_text(ORPHANS)
    ended = subprocess.run(
        [sys.executable, script], cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True
    )
    assert ended.returncode == -9
    pids = [int(pid) for pid in ended.stdout.split()]
    assert pids
    until = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.mark.data
def test_the_malformed_file_is_sorted_as_its_truth_says(project, development_data):
    folder = development_data / "bad"
    with (folder / "malformed.truth.tsv").open(encoding="utf-8") as table:
        truth = {int(row["line"]): row["kind"] for row in csv.DictReader(table, delimiter="\t")}
    report = run(project, folder / "malformed.jsonl")
    refused = {r.line for r in report.rejected_rows}
    expected_in = {
        "lone_surrogate",
        "missing_content",
        "content_wrong_type",
        "no_assistant",
        "last_not_assistant",
        "bad_tool_arguments",
    }
    assert refused == {number for number, kind in truth.items() if kind not in expected_in}
    marked = {
        line_: {f.rule for f in project.findings(id_)}
        for id_, line_ in zip(
            project.ids().tolist(), project.column("source_line").tolist(), strict=True
        )
    }
    for number, kind in truth.items():
        if kind in expected_in:
            assert marked[number], f"line {number} ({kind}) has no finding"
    assert not any(marked[number] for number in marked if number not in truth)
