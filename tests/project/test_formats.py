"""Files of other formats through a project: good rows in, bad ones refused by line and reason, and out again."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.dataset.errors import GateFailed, UnreadableInput, WrongUse
from curator.project import Project
from curator.project.exports import check_ahead, strict_check
from curator.project.exports.exporting import export
from curator.project.exports.selection import ExportSettings
from curator.project.exports.verify import verify
from curator.project.imports.importing import import_files
from curator.tune.jobs.training_files import open_export
from tests.formats.test_formats import conversations

SHAREGPT = ExportSettings("sharegpt", statuses="open")


def run(project, *paths, **more):
    return import_files(project, paths, progress=lambda *_: None, cancelled=lambda: False, **more)


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "desk.curator") as project:
        yield project


def talk(*texts, **more):
    roles = ("user", "assistant") * len(texts)
    said = zip(roles, texts, strict=False)
    return {"messages": [{"role": role, "content": text} for role, text in said], **more}


def turns(*texts, **more):
    speakers = ("human", "gpt") * len(texts)
    return {
        "conversations": [
            {"from": speaker, "value": text} for speaker, text in zip(speakers, texts, strict=False)
        ],
        **more,
    }


def stored(project):
    return [json.loads(text) for _, text in project.iterate()]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("in_array", [False, True])
def test_good_rows_get_in_and_bad_ones_are_named(project, tmp_path, in_array, packed):
    good = [turns(f"Question {n}?", "An answer.") for n in range(4)]
    bad = [{"conversations": [{"from": "narrator", "value": "x"}]}, turns("a", "b", chosen="c"),
           {"id": 3}]  # fmt: skip
    rows = [
        good[0],
        bad[0],
        good[1],
        talk("Already chat?", "Yes."),
        bad[1],
        good[2],
        bad[2],
        good[3],
    ]
    path = tmp_path / "data.json"
    if in_array:
        path.write_text(json.dumps(rows))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with ThreadPoolExecutor(1) as executor:
        report = run(project, path, executor=executor if packed else None)
    assert stored(project) == [talk(f"Question {n}?", "An answer.") for n in (0, 1)] + [
        talk("Already chat?", "Yes.")
    ] + [talk(f"Question {n}?", "An answer.") for n in (2, 3)]
    (source,) = report.sources
    assert (source.format, source.confidence) == ("sharegpt", 0.75)
    assert (source.records, source.imported, source.rejected, source.blank) == (8, 5, 3, 0)
    assert [(row.line, row.rule) for row in report.rejected_rows] == [
        (2, "S01"), (5, "S01"), (7, "S01")
    ]  # fmt: skip
    assert "narrator" in report.rejected_rows[0].reason
    assert "preference" in report.rejected_rows[1].reason
    kept = report.rejects_file.read_text().splitlines()
    assert [json.loads(line) for line in kept] == bad
    assert project.column("source_line").tolist() == [1, 3, 4, 6, 8]
    assert project.sources()[0].format == "sharegpt"
    assert report.notes == [
        "data.json was read as ShareGPT (JSON Lines) and converted to OpenAI chat."
    ]
    # The same file again adds nothing.
    again = run(project, path)
    assert (again.imported, again.unchanged) == (0, 5)


def test_a_format_can_be_named_where_it_is_not_found_out(project, tmp_path):
    path = tmp_path / "data.jsonl"
    rows = [talk("a", "b"), talk("c", "d"), {"prompt": "e", "completion": "f"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = run(project, path)
    assert (report.imported, report.rejected) == (2, 1)
    assert "file of such lines can be imported" in report.rejected_rows[0].reason
    report = run(project, path, format="prompt_completion")
    assert (report.imported, report.unchanged, report.rejected) == (1, 2, 0)
    with pytest.raises(WrongUse, match="no format csv"):
        run(project, path, format="csv")


def test_a_damaged_line_of_another_format_is_named_as_anywhere(project, tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_bytes(
        b"\n".join(
            [
                json.dumps(turns("a", "b")).encode(),
                b'{"conversations": [',
                b'{"conversations": "\xff"}',
                b"",
                b'{"conversations": [{"from": "gpt", "from": "human", "value": "a"}]}',
                b"[" * 9_000,
            ]
        )
    )
    report = run(project, path, format="sharegpt")
    assert [(row.line, row.rule) for row in report.rejected_rows] == [
        (2, "F01"), (3, "F05"), (5, "S01"), (6, "F01")
    ]  # fmt: skip
    assert report.sources[0].blank == 1
    assert stored(project) == [talk("a", "b")]


REAL = [
    ("tools/lf_glaive_toolcall_en_demo.json", "sharegpt", 300, 0),
    ("instruct/gpteacher_codegen.json", "alpaca", 4535, 0),
    ("instruct/lf_identity.json", "alpaca", 91, 0),
    ("instruct/datajuicer_alpaca_cot.jsonl", "alpaca", 11, 0),
    ("bad/axolotl_conversation.json", "sharegpt", 1, 0),
    ("bad/axolotl_conversation.missingturns.json", "sharegpt", 1, 0),
]


@pytest.mark.data
@pytest.mark.parametrize(("name", "form", "good", "bad"), REAL)
def test_real_files_get_in_with_all_they_say(project, development_data, name, form, good, bad):
    path = development_data / name
    report = run(project, path)
    assert [(s.format, s.imported, s.rejected) for s in report.sources] == [(form, good, bad)]
    text = path.read_text("utf-8")
    rows = json.loads(text) if path.suffix == ".json" else list(map(json.loads, text.splitlines()))
    rows = rows if isinstance(rows, list) else [rows]
    for row, found in zip(rows, stored(project), strict=True):
        said = [m["content"] for m in found["messages"] if "content" in m]
        if form == "alpaca":
            asked = row["instruction"] + (f"\n{row['input']}" if row["input"] else "")
            assert said == [asked, row.get("output", row.get("response"))]
            continue
        spoken = [t["value"] for t in row["conversations"] if t["from"] != "function_call"]
        assert said == spoken
        calls = [c["function"] for m in found["messages"] for c in m.get("tool_calls", ())]
        given = [
            json.loads(t["value"]) for t in row["conversations"] if t["from"] == "function_call"
        ]
        assert [c["name"] for c in calls] == [c["name"] for c in given]
        assert [json.loads(c["arguments"]) for c in calls] == [c["arguments"] for c in given]
        tools = json.loads(row.get("tools") or "[]")
        assert [t["function"] for t in found.get("tools", [])] == tools


@pytest.mark.data
def test_a_file_of_preferences_is_refused_by_name(project, development_data):
    for name in ("dpo/lf_dpo_en_demo.json", "dpo/lf_v1_dpo_demo.jsonl"):
        with pytest.raises(UnreadableInput, match=r"preference|messages"):
            run(project, development_data / name)
    assert project.count() == 0


@pytest.mark.data
def test_real_tool_calls_come_back_from_an_export(project, development_data, tmp_path):
    run(project, development_data / "tools/lf_glaive_toolcall_en_demo.json")
    report = export(project, tmp_path / "out", ExportSettings("sharegpt", skip_errors=True))
    assert verify(tmp_path / "out").ok
    assert not report.losses
    with Project.create(tmp_path / "again.curator") as again:
        run(again, tmp_path / "out" / "train.jsonl")
        assert again.count() == report.rows > 250
        exported = {json.dumps(row, sort_keys=True) for row in stored(project)}
        assert exported >= {json.dumps(row, sort_keys=True) for row in stored(again)}


@given(st.lists(conversations(), min_size=1, max_size=6, unique_by=json.dumps))
def test_what_is_exported_is_imported_as_it_was(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("trip")
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    with Project.create(folder / "a.curator") as first:
        run(first, path)
        try:
            report = export(first, folder / "out", ExportSettings("sharegpt", skip_errors=True))
        except GateFailed:
            return  # All have errors, as an empty text is.
        ids = [json.loads(line)["conversation"]
               for line in (folder / "out" / "train.manifest.jsonl").read_text().splitlines()]  # fmt: skip
        sent = [json.loads(text) for text in first.contents(ids)]
    assert not report.losses
    assert verify(folder / "out").ok
    with Project.create(folder / "b.curator") as second:
        run(second, folder / "out" / "train.jsonl", format="sharegpt")
        assert stored(second) == sent


def test_what_is_lost_and_what_is_left_out_is_said(project, tmp_path):
    masked = talk("a", "b", "c", "d")
    masked["messages"][1]["weight"] = 0
    image = talk([{"type": "image_url", "image_url": {"url": "https://a.example/a.png"}}], "A cat.")
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (talk("e", "f"), masked, image)))
    run(project, path)
    report = export(project, tmp_path / "out", SHAREGPT)
    assert report.losses == {"weights": 1}
    assert report.left_out == {"pictures or other parts: not in ShareGPT": 1}
    assert any("(conversation 3)" in note for note in report.notes)
    facts = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (facts["format"], facts["losses"], facts["rows"]) == ("sharegpt", {"weights": 1}, 2)
    entries = (tmp_path / "out" / "train.manifest.jsonl").read_text().splitlines()
    assert [json.loads(entry)["conversation"] for entry in entries] == [1, 2]
    assert "weights of 1 conversation" in (tmp_path / "out" / "README.md").read_text()
    assert verify(tmp_path / "out").ok
    with pytest.raises(UnreadableInput, match="as ShareGPT"):
        open_export(tmp_path / "out")


def test_nothing_is_exported_where_nothing_can_be_held(project, tmp_path):
    image = talk([{"type": "image_url", "image_url": {"url": "https://a.example/a.png"}}], "A cat.")
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(image))
    run(project, path)
    with pytest.raises(GateFailed, match="not in ShareGPT"):
        export(project, tmp_path / "out", SHAREGPT)
    assert not (tmp_path / "out").exists()


def test_a_damaged_export_of_another_format_is_found(project, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(talk(f"Question {n}?", "Yes.")) + "\n" for n in range(9)))
    run(project, path)
    export(project, tmp_path / "out", SHAREGPT)
    train = tmp_path / "out" / "train.jsonl"
    lines = train.read_text().splitlines(keepends=True)
    train.write_text("".join([*lines[:3], lines[3].replace("human", "narrator"), *lines[4:]]))
    found = verify(tmp_path / "out")
    assert any("line 4" in problem and "narrator" in problem for problem in found.problems)
    facts = (tmp_path / "out" / "manifest.json").read_text()
    (tmp_path / "out" / "manifest.json").write_text(facts.replace('"sharegpt"', '"later"'))
    with pytest.raises(UnreadableInput, match="another version"):
        verify(tmp_path / "out")


def test_other_processes_check_another_format_alike(project, tmp_path, monkeypatch):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(talk(f"Question {n}?", "Yes.")) + "\n" for n in range(99)))
    run(project, path)
    export(project, tmp_path / "out", SHAREGPT)
    train = tmp_path / "out" / "train.jsonl"
    monkeypatch.setattr(check_ahead, "_RANGE_BYTES", 1_000)
    with check_ahead.CheckAhead(check_ahead.WORTH_BYTES, "sharegpt") as ahead:
        found = ahead.result(train)
    assert found == strict_check.check_file(train, form="sharegpt")
    assert (found.rows, found.problems) == (99, ())
