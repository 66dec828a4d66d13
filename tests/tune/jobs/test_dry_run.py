"""The dry run says what a start would do, with no server near."""

import hashlib
import json
from datetime import date
from decimal import Decimal

import pytest

from curator.curate.cost import load_prices
from curator.dataset.errors import Cancelled, UnreadableInput
from curator.tune.jobs.dry_run import dry_run, estimate_seconds
from curator.tune.jobs.recipe import make_recipe
from curator.tune.jobs.table import Job
from curator.tune.jobs.training_files import open_export
from curator.tune.services.port import State
from curator.tune.targets.profiles import find_target

DAY = date(2026, 11, 21)
LINE = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
TOKENS = 3 + 3 + 3 + 1 + 1 + 1 + 1  # two messages, the whole, two roles, two one-token texts


def folder(tmp_path, rows, validation=0, **manifest):
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "train.jsonl").write_text((json.dumps(LINE) + "\n") * rows, "utf-8")
    if validation:
        (tmp_path / "validation.jsonl").write_text((json.dumps(LINE) + "\n") * validation, "utf-8")
    if manifest:
        (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return tmp_path


@pytest.fixture
def run(quiet):
    def go(path, target="openai", base="gpt-4.1-mini-2025-04-14", today=DAY, past=(), **settings):
        chosen = find_target(target)
        recipe = make_recipe(chosen, base, settings=settings)
        return dry_run(
            open_export(path), recipe, prices=load_prices(), past=past, today=today, **quiet
        )

    return go


def test_tokens_epochs_and_cost(tmp_path, run):
    found = run(folder(tmp_path, 100, 10, left_out={"rejected": 4, "removed": 2}), n_epochs=2)
    assert (found.rows, found.dropped, found.cut) == (100, 6, 0)
    assert found.tokens == 100 * TOKENS
    assert found.exact
    assert found.billed_tokens == 200 * TOKENS
    assert found.cost.amount == Decimal(5) * 200 * TOKENS / 1_000_000
    row = found.to_row()
    promised = {
        "rows", "dropped", "cut", "tokens", "epochs", "cost", "currency", "prices_of", "seconds",
        "warnings",
    }  # fmt: skip
    assert promised <= set(row)
    assert (row["currency"], row["prices_of"], row["seconds"]) == ("USD", "2026-11-21", None)
    json.dumps(row)


@pytest.mark.parametrize(("rows", "epochs"), [(10, 10), (34, 3), (100, 3)])
def test_auto_epochs(tmp_path, run, rows, epochs):
    found = run(folder(tmp_path, rows))
    assert (found.epochs, found.epochs_chosen) == (epochs, False)


def test_rows_over_the_limit_are_cut_and_counted_to_the_limit(tmp_path, run, quiet):
    target = find_target("openai").model_copy(update={"max_tokens_per_example": 10})
    recipe = make_recipe(target, "gpt-4.1-mini", settings={"n_epochs": 1})
    found = dry_run(open_export(folder(tmp_path, 12)), recipe, today=DAY, **quiet)
    assert (found.cut, found.tokens) == (12, 120)
    assert any("longer than 10 tokens" in text for text in found.warnings)


def test_the_end_is_near_and_said(tmp_path, run):
    text = " ".join(run(folder(tmp_path, 60)).warnings)
    assert "stops answering on 2027-01-14, in 54 days" in text
    assert "until 2027-01-06" in text
    assert "OpenAI is closing fine-tuning" in text


@pytest.mark.parametrize(("day", "stopped"), [(date(2027, 1, 6), False), (date(2027, 1, 7), True)])
def test_after_the_last_day_nothing_starts(tmp_path, run, day, stopped):
    errors = run(folder(tmp_path, 60), today=day).errors
    assert bool(errors) is stopped
    assert not stopped or "took its last jobs on 2027-01-06" in errors[0]


def test_a_base_that_is_gone_is_an_error(tmp_path, run):
    found = run(folder(tmp_path, 60), base="gpt-3.5-turbo-0125")
    assert "2026-10-23" in found.errors[0]
    assert any("switched off" in text for text in found.warnings)


def test_too_few_rows_stop_and_few_rows_warn(tmp_path, run):
    assert "at least 10" in run(folder(tmp_path / "a", 9)).errors[0]
    few = run(folder(tmp_path / "b", 12))
    assert few.errors == ()
    assert any("usual start" in text for text in few.warnings)


def test_unknown_bases_and_prices_are_said(tmp_path, run):
    found = run(folder(tmp_path, 60), target="nebius", base="some/unheard-of-base")
    text = " ".join(found.warnings)
    assert "not a base model this program knows" in text
    assert "No price is known" in text
    assert (found.cost, found.exact, found.to_row()["cost"]) == (None, False, None)


def test_validation_is_missed_or_may_be_billed(tmp_path, run):
    assert any("no validation part" in t for t in run(folder(tmp_path / "a", 60)).warnings)
    with_one = folder(tmp_path / "b", 60, 10)
    assert not any("validation" in t for t in run(with_one).warnings)
    nebius = run(with_one, target="nebius", base="openai/gpt-oss-20b")
    assert any("may bill the validation" in t for t in nebius.warnings)
    assert nebius.validation_rows == 10


def test_time_is_known_once_a_job_was_seen_to_its_end():
    recipe = make_recipe(find_target("openai"), "b")
    done = Job("t", "openai", "", "b", status=State.SUCCEEDED, created=1000.0, finished=1600.0,
               trained_tokens=6000)  # fmt: skip
    other = Job("u", "nebius", "", "b", status=State.SUCCEEDED, created=1.0, finished=2.0,
                trained_tokens=1)  # fmt: skip
    assert estimate_seconds(3000, recipe, [other, done]) == 300.0
    assert estimate_seconds(3000, recipe, [other]) is None


def test_a_file_changed_after_its_export_stops_the_start(tmp_path, run):
    path = folder(tmp_path, 60)
    sha256 = hashlib.sha256((path / "train.jsonl").read_bytes()).hexdigest()
    files = [{"split": "train", "path": "train.jsonl", "rows": 60, "sha256": sha256}]
    folder(tmp_path, 60, files=files)
    assert run(path).errors == ()
    with (path / "train.jsonl").open("a") as stream:
        stream.write(json.dumps(LINE) + "\n")
    assert "changed after it was exported" in run(path).errors[0]


def test_a_folder_without_a_training_file_is_named(tmp_path):
    with pytest.raises(UnreadableInput, match=r"no train\.jsonl"):
        open_export(tmp_path)
    (tmp_path / "train.jsonl").write_text("")
    with pytest.raises(UnreadableInput, match=r"no train\.jsonl"):
        open_export(tmp_path)


@pytest.mark.parametrize("bad", [b"{broken\n", b"[1]\n", b'{"a": 1}\n', b"\xff\xfe\n"])
def test_a_broken_line_is_named(tmp_path, run, bad):
    (tmp_path / "train.jsonl").write_bytes((json.dumps(LINE) + "\n").encode() * 12 + bad)
    with pytest.raises(UnreadableInput) as caught:
        run(tmp_path)
    assert caught.value.line == 13


def test_a_broken_manifest_is_named(tmp_path):
    folder(tmp_path, 12)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(UnreadableInput, match=r"manifest\.json"):
        open_export(tmp_path)


def test_a_dry_run_can_be_cancelled(tmp_path):
    recipe = make_recipe(find_target("openai"), "gpt-4.1-mini")
    with pytest.raises(Cancelled):
        dry_run(open_export(folder(tmp_path, 12)), recipe, progress=lambda *_: None,
                cancelled=lambda: True)  # fmt: skip


def test_a_manifest_cannot_lead_outside_its_folder(tmp_path):
    (tmp_path / "secret.jsonl").write_text("x\n")
    inside = folder(tmp_path / "e", 12, files=[{"split": "train", "path": "../secret.jsonl"}])
    with pytest.raises(UnreadableInput):
        open_export(inside)


PAIR = {
    "input": {"messages": [{"role": "user", "content": "Hi"}]},
    "preferred_output": [{"role": "assistant", "content": "Hello"}],
    "non_preferred_output": [{"role": "assistant", "content": "Go"}],
}


def test_preference_pairs_are_counted_and_plain_lines_refused(tmp_path, quiet):
    (tmp_path / "train.jsonl").write_text((json.dumps(PAIR) + "\n") * 60, "utf-8")
    recipe = make_recipe(find_target("openai"), "gpt-4.1-mini", method="dpo")
    found = dry_run(open_export(tmp_path), recipe, today=DAY, **quiet)
    assert (found.rows, found.tokens) == (60, 60 * (TOKENS + 5))
    (tmp_path / "train.jsonl").write_text((json.dumps(LINE) + "\n") * 60, "utf-8")
    with pytest.raises(UnreadableInput, match="supervised method"):
        dry_run(open_export(tmp_path), recipe, today=DAY, **quiet)
    broken = {**PAIR, "preferred_output": "Hello"}
    (tmp_path / "train.jsonl").write_text((json.dumps(broken) + "\n") * 60, "utf-8")
    with pytest.raises(UnreadableInput, match="not a list of messages"):
        dry_run(open_export(tmp_path), recipe, today=DAY, **quiet)
