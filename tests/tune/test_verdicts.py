"""What the validation loss says: the best checkpoint, and a run that became worse."""

from hypothesis import given
from hypothesis import strategies as st

from curator.tune.jobs.loss_curve import Point, best_checkpoint, verdict
from curator.tune.services.port import Checkpoint

LOSS = st.floats(0.01, 20, allow_nan=False)


def line(*losses):
    return tuple(Point(10 * n, {"valid_loss": loss}) for n, loss in enumerate(losses, 1))


def test_a_loss_that_rose_is_said():
    found = verdict(line(5.2, 4.8, 5.6, 6.5))
    assert (found.lowest, found.lowest_step, found.last, found.rose) == (4.8, 20, 6.5, True)
    assert not verdict(line(6.5, 5.0, 4.8)).rose
    assert not verdict(line(5.0, 4.8, 4.9)).rose
    assert verdict(line(4.8)) is None
    assert verdict(()) is None


def test_the_whole_validation_part_counts_before_a_few_rows():
    points = (
        Point(1, {"valid_loss": 1.0, "full_valid_loss": 3.0}),
        Point(2, {"valid_loss": 2.0, "full_valid_loss": 2.0}),
    )
    assert verdict(points).lowest_step == 2


@given(st.lists(LOSS, min_size=2, max_size=12))
def test_the_best_checkpoint_has_the_lowest_loss(losses):
    steps = range(1, len(losses) + 1)
    told = [
        Checkpoint(f"c{n}", 0.0, f"ft:{n}", n, {"valid_loss": loss})
        for n, loss in zip(steps, losses, strict=True)
    ]
    silent = [Checkpoint(one.id, 0.0, one.name, one.step, {}) for one in told]
    points = [Point(n, {"valid_loss": loss}) for n, loss in zip(steps, losses, strict=True)]
    for found in (best_checkpoint(told, ()), best_checkpoint(silent, points)):
        assert losses[found.step - 1] == min(losses)
    assert best_checkpoint(silent, ()) is None
    assert best_checkpoint(told[:1], ()) is None
