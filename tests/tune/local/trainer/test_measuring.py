"""What the dry run says of a job on this computer is what the job then does, row by row."""

import json
import sys

import pytest

from curator.cli import main as cli
from curator.tune.jobs import base_counts
from curator.tune.jobs.dry_run import dry_run
from curator.tune.jobs.recipe import make_recipe
from curator.tune.jobs.training_files import open_export
from curator.tune.local.bases import bases
from curator.tune.local.bases.bases import find_base
from curator.tune.local.trainer import measuring
from curator.tune.local.trainer.forecast import count_file, settled
from curator.tune.local.trainer.measuring import NotMeasurable, measure
from curator.tune.targets.profiles import find_target
from tests.tune.conftest import clean_surroundings, quiet  # noqa: F401 - fixtures
from tests.tune.local.conftest import TRAINER, needs_trainer

here = pytest.mark.skipif(sys.executable != TRAINER, reason="transformers is not in this Python")
pytestmark = [needs_trainer, here, pytest.mark.slow]

U, A = {"role": "user", "content": "Where is tea?"}, {"role": "assistant", "content": "By the sea."}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
GOOD = {"messages": [U, A]}
LONG = {
    "messages": [{**U, "content": "Where is it? " * 60}, {**A, "content": "By the sea. " * 400}]
}
SEEING = {"messages": [{"role": "user", "content": [IMAGE]}, A]}
NO = {**A, "content": "No."}
PAIR = {"input": {"messages": [U]}, "preferred_output": [A], "non_preferred_output": [NO]}


def export(folder, *rows, validation=()):
    folder.mkdir(exist_ok=True)
    for name, lines in (("train", rows), ("validation", validation)):
        if lines:
            text = "".join(f"{json.dumps(line)}\n" for line in lines)
            (folder / f"{name}.jsonl").write_text(text)
    return folder


def planned(folder, quiet, base="tiny", **settings):  # noqa: F811
    method = settings.pop("method_", "")
    recipe = make_recipe(find_target("this-computer"), base, method=method, settings=settings)
    return dry_run(open_export(folder), recipe, **quiet)


def encoded(folder, **request):
    """Return the examples that the worker would make of the training rows."""
    from curator.tune.local.trainer.examples import encoder
    from curator.tune.local.trainer.reading import read_examples

    base, options = settled("tiny", request)
    read = encoder(bases.load_tokenizer(base), options)
    return [e for line in read_examples(folder / "train.jsonl", "x", read) for e in line]


def test_tokens_cuts_and_epochs_are_those_of_the_job(tmp_path, quiet):  # noqa: F811
    folder = export(tmp_path / "out", GOOD, LONG, GOOD, LONG)
    found = planned(folder, quiet)
    examples = encoded(folder)
    assert not found.errors
    assert found.exact
    assert found.tokens == sum(e.length for e in examples)
    assert found.trained_tokens == sum(e.trained for e in examples)
    assert found.cut == sum(e.lost > 0 for e in examples) == 2
    assert found.epochs == settled("tiny", {})[1].epochs
    assert not found.epochs_chosen
    assert found.seconds_from == "estimate"
    assert any("2 rows are longer than 1,024 tokens" in text for text in found.warnings)
    chosen = planned(folder, quiet, n_epochs=2, max_tokens=900)
    assert (chosen.epochs, chosen.epochs_chosen, chosen.cut) == (2, True, 2)
    assert chosen.tokens < found.tokens


def test_preferences_are_counted_with_both_their_answers(tmp_path, quiet):  # noqa: F811
    folder = export(tmp_path / "out", PAIR, PAIR)
    found = planned(folder, quiet, method_="dpo")
    examples = encoded(folder, method={"type": "dpo"})
    assert not found.errors
    assert found.tokens == sum(e.length for e in examples)


def test_rows_that_cannot_be_read_are_named_and_stop_the_start(tmp_path, quiet):  # noqa: F811
    folder = export(tmp_path / "out", GOOD, SEEING, GOOD, validation=(SEEING, GOOD))
    found = planned(folder, quiet)
    assert [(row.file, row.line) for row in found.refused] == [
        ("train.jsonl", 2),
        ("validation.jsonl", 1),
    ]
    assert "2 rows cannot be trained on with tiny: line 2 of train.jsonl" in found.errors[0]
    row = found.to_row()
    assert row["refused"] == 2
    assert "image" in row["refused_rows"][0]["reason"]


def test_no_more_is_read_than_the_base_reads(tmp_path, quiet):  # noqa: F811
    folder = export(tmp_path / "out", LONG)
    assert planned(folder, quiet, max_tokens=4096).cut == 1


def test_both_ways_of_reading_a_tokenizer_measure_the_same(tmp_path, monkeypatch):
    pytest.importorskip("jinja2")
    folder = export(
        tmp_path / "out", GOOD, LONG, SEEING, {"messages": [{**U, "content": "<|im_end|>"}, A]}
    )
    first = count_file("tiny", {}, folder / "train.jsonl", lambda _: None, lambda: False)
    monkeypatch.setattr(measuring, "_light_can", lambda *_: False)
    base, options = settled("tiny", {})
    take = measuring._taker(base, options)
    lines = (folder / "train.jsonl").read_text().splitlines()
    rows = [take(json.loads(line)) for n, line in enumerate(lines) if n != 2]
    assert sum(row["tokens"] for row in rows) == first.tokens
    assert [row.line for row in first.refused] == [3]


def test_without_anything_that_reads_the_base_the_figures_are_called_estimates(
    tmp_path, quiet, monkeypatch  # noqa: F811
):  # fmt: skip
    monkeypatch.setattr(measuring, "trainer_python", lambda: None)
    monkeypatch.setattr(measuring, "_light_can", lambda *_: False)
    with pytest.raises(NotMeasurable):
        list(measure(find_base("tiny"), settled("tiny", {})[1], ["{}"], lambda: False))
    found = planned(export(tmp_path / "out", GOOD), quiet)
    assert not found.exact
    assert found.epochs == settled("tiny", {})[1].epochs
    assert any("are estimates: the trainer is not set up" in text for text in found.warnings)


@pytest.mark.parametrize("mode", [[], ["--json"]])
def test_the_terminal_says_what_is_refused_and_what_time_is_an_estimate(tmp_path, capsys, mode):
    folder = export(tmp_path / "out", GOOD, SEEING)
    command = ["train", str(folder), "--target", "this-computer", "--base", "tiny", "--dry-run"]
    assert cli.main([*command, *mode]) == 1
    said = capsys.readouterr().out
    if mode:
        row = json.loads(said)
        assert (row["refused"], row["epochs"], row["seconds_from"]) == (1, 30, "estimate")
    else:
        assert "2 rows, 1 refused" in said
        assert "x 30 epochs" in said
        assert "s, an estimate" in said
        assert "earlier jobs" not in said


@pytest.mark.parametrize("mode", [[], ["--json"]])
def test_count_and_check_use_the_bases_own_tokens_limit_and_template(tmp_path, capsys, mode):
    file, project = tmp_path / "rows.jsonl", str(tmp_path / "p.curator")
    rows = (GOOD, LONG, SEEING)
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (good,), (long,) = (encoded_rows(tmp_path, row) for row in (GOOD, LONG))
    assert cli.main(["new", project, "--base", "tiny", "--json"]) == 0
    assert cli.main(["import", project, str(file), "--json"]) == 0
    capsys.readouterr()
    for given in ([str(file), "--base", "tiny"], [project]):
        cli.main(["count", *given, "--each", *mode])
        counted = capsys.readouterr().out
        assert cli.main(["check", *given, "--rules", "L01,J09", *mode]) == 1
        checked = capsys.readouterr().out
        if not mode:
            assert "1 over the limit of 1,024" in counted
            assert "1 cannot be read by tiny" in counted
            assert "J09 tiny cannot learn all of this: message 1 holds a part (image)" in checked
            continue
        said = json.loads(counted)
        assert (said["encoding"], said["exact"], said["limit"]) == ("tiny", True, 1024)
        assert (said["over_limit"], said["rejected"]) == (1, 1)
        assert [each["tokens"] for each in said["each"]] == [good, long, None]
        assert said["tokens"] == good + long
        found = json.loads(checked)
        assert [(f["rule"], f["source_line"]) for f in found["findings"]] == [
            ("L01", 2),
            ("J09", 3),
        ]
        assert f"{long:,}" in found["findings"][0]["message"]
        assert found["targets"]["openai"]["conversations_with_errors"] == 2


def encoded_rows(tmp_path, *rows):
    """Return how long the samples of rows are before anything is cut."""
    return [e.length + e.lost for e in encoded(export(tmp_path / "out", *rows))]


def test_a_project_is_checked_for_a_base_of_this_computer_or_its_own(tmp_path, capsys):
    project = str(tmp_path / "p.curator")
    assert cli.main(["new", project]) == 0
    assert cli.main(["check", project, "--base", "gpt-4.1"]) == 2
    assert "gpt-4.1 is none" in capsys.readouterr().err


@pytest.mark.parametrize("base", ["tiny"])
def test_a_draft_is_counted_as_the_job_reads_it(base):
    from curator.app.editor.own_base_counter import OwnBaseCounter, counting_frame
    from curator.dataset import Conversation

    frame = counting_frame(base)
    system = {"role": "system", "content": "Be kind. <|im_end|>"}
    drafts = [GOOD, LONG, {"messages": [system, U, A, {"role": "tool", "content": "x"}, A]}]
    own = base_counts.own_count(base)
    for draft, row in zip(drafts, own.rows(map(json.dumps, drafts), lambda: False), strict=True):
        count = OwnBaseCounter(frame).count(Conversation(draft))
        assert count.total == row.tokens
        assert count.exact == (draft is not LONG)  # white space may join with what is around it
    assert frame.limit == own.limit == 1024
    seeing = OwnBaseCounter(frame).count(
        Conversation({"messages": [U, A], "tools": [{"type": "function"}]})
    )
    assert not seeing.exact
    assert counting_frame("gpt-4.1") is None
