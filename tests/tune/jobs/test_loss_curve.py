"""Loss points come out of whatever a server sends, and junk makes none."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.tune.jobs.loss_curve import (
    Point,
    best_checkpoint,
    decode_result,
    points_of_events,
    points_of_result,
    share_done,
)
from curator.tune.services.port import Checkpoint, Event


def event(number, message="", **data):
    return Event(f"e{number}", float(number), "info", message, "metrics", data)


def test_points_come_from_data_and_from_text():
    text = "Step 300/300: training loss=0.15, validation loss=0.27, full validation loss=0.40"
    points = points_of_events(
        [
            event(1, step=2, total_steps=300, train_loss=1.5, valid_loss=None),
            event(2, text),
            event(3, "Step 5: training loss=1.25e-1"),
            event(4, "New fine-tuned model created"),
        ]
    )
    assert points == (
        Point(2, {"train_loss": 1.5}, 300),
        Point(5, {"train_loss": 0.125}, None),
        Point(300, {"train_loss": 0.15, "valid_loss": 0.27, "full_valid_loss": 0.40}, 300),
    )
    assert share_done(points) == 1.0
    assert share_done(()) is None


def test_a_step_told_twice_is_one_point():
    points = points_of_events([event(1, step=3, train_loss=1.0), event(2, step=3, valid_loss=2.0)])
    assert points == (Point(3, {"train_loss": 1.0, "valid_loss": 2.0}, None),)


CSV = "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,1.5,0.5,,\n2,1.0,0.6,1.2,0.55\n"


@pytest.mark.parametrize("text", [CSV, base64.b64encode(CSV.encode()).decode(), "\ufeff" + CSV])
def test_a_result_table_is_read_plain_or_base64(text):
    assert points_of_result(text) == (
        Point(1, {"train_loss": 1.5, "train_accuracy": 0.5}),
        Point(
            2, {"train_loss": 1.0, "train_accuracy": 0.6, "valid_loss": 1.2, "valid_accuracy": 0.55}
        ),
    )


def test_other_columns_are_known_by_name():
    assert points_of_result("step,eval_loss,lr\n7,0.3,1e-5\n") == (Point(7, {"valid_loss": 0.3}),)


@given(st.text())
def test_junk_makes_no_points_and_no_errors(text):
    points_of_result(text)
    decode_result(text)
    points_of_events([event(1, text)])


@given(st.dictionaries(st.sampled_from(["step", "train_loss", "total_steps"]),
                       st.one_of(st.none(), st.booleans(), st.floats(), st.text(), st.integers())))  # fmt: skip
def test_odd_data_make_no_errors(data):
    for point in points_of_events([event(1, **data)]):
        assert point.values["train_loss"] == point.values["train_loss"]


def checkpoint(step, **metrics):
    return Checkpoint(f"c{step}", float(step), f"ckpt-{step}", step, metrics)


LOSS = st.one_of(st.none(), st.floats(0.1, 9))


@given(st.lists(st.tuples(LOSS, LOSS), max_size=6))
def test_the_best_checkpoint_is_found_on_one_scale(losses):
    made = [
        checkpoint(step, full_valid_loss=full, valid_loss=some)
        for step, (full, some) in enumerate(losses, 1)
    ]
    whole = [(loss, step) for step, (loss, _) in enumerate(losses, 1) if loss is not None]
    part = [(loss, step) for step, (_, loss) in enumerate(losses, 1) if loss is not None]
    scale = whole if len(whole) > 1 else part
    best = best_checkpoint(made, ())
    assert (best and best.step) == (min(scale)[1] if len(scale) > 1 else None)
