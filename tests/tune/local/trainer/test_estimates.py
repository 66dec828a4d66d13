"""What a job is thought to take, against what jobs with the practice base took."""

from dataclasses import replace

import pytest

from curator.tune.local.options import TrainingOptions
from curator.tune.local.trainer.estimates import (
    BaseFacts,
    duration_words,
    estimate,
    in_words,
    smaller_by_half,
    smaller_that_fits,
)

PRACTICE = BaseFacts(parameters=134_515_008, layers=30, width=576, vocabulary=49_152)
GB = 2**30


@pytest.mark.parametrize(
    ("values", "longest", "measured_gb"),
    [
        ({"batch_size": 1}, 79, 1.3),
        ({"batch_size": 4}, 79, 2.6),
        ({"batch_size": 8}, 79, 3.8),
        ({"batch_size": 1}, 256, 1.7),
        ({"batch_size": 1}, 512, 2.5),
        ({"batch_size": 1}, 1024, 4.3),
        ({"batch_size": 1, "checkpointing": True}, 1024, 2.9),
        ({"batch_size": 1, "checkpointing": True}, 2048, 5.3),
        ({"batch_size": 4, "method": "full"}, 79, 3.2),
    ],
)
def test_memory_is_within_a_quarter_of_what_was_measured(values, longest, measured_gb):
    found = estimate(PRACTICE, TrainingOptions().with_values(values), longest, 0).memory / GB
    assert found == pytest.approx(measured_gb, rel=0.25)


@pytest.mark.parametrize(
    ("method", "reserved_mb"), [("lora", 1266), ("qlora", 1048), ("full", 2732)]
)
def test_memory_of_a_card_is_within_a_quarter_of_what_was_measured(method, reserved_mb):
    """On one H100 with the practice base, 4 conversations of at most 97 tokens in a batch."""
    on_card = replace(PRACTICE, card=True, half=True)
    found = estimate(on_card, TrainingOptions(method=method), 97, 0).memory / 2**20
    # What torch reserved, and about 500 MB that the driver keeps for every process.
    assert found == pytest.approx(reserved_mb + 500, rel=0.25)


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_what_is_advised_after_the_memory_ran_out_takes_less(batch_size):
    options = TrainingOptions(batch_size=batch_size)
    changes = smaller_by_half(PRACTICE, options, 512, 64 * GB)
    after = options.with_values(changes)
    before = estimate(PRACTICE, options, 512, 0).memory
    assert changes
    assert estimate(PRACTICE, after, 512, 0).memory < before


def test_time_follows_tokens_and_epochs():
    options = TrainingOptions(epochs=3)
    found = estimate(PRACTICE, options, 79, 100 * 63).seconds
    assert found == pytest.approx(190, rel=0.15)


@pytest.mark.parametrize("free_gb", [1.5, 2, 3, 5, 20])
def test_what_is_advised_fits(free_gb):
    options = TrainingOptions(batch_size=16)
    changes = smaller_that_fits(PRACTICE, options, 512, int(free_gb * GB))
    longest = min(512, changes.get("max_tokens", 512))
    after = options.with_values(changes)
    if changes:
        assert estimate(PRACTICE, after, longest, 0).memory <= 0.8 * free_gb * GB
        assert after.batch_size * after.accumulation >= 16


def test_nothing_fits_in_nothing():
    assert smaller_that_fits(PRACTICE, TrainingOptions(), 512, GB // 2) == {}


def test_words():
    assert in_words({"batch_size": 2, "checkpointing": True}) == "batch_size 2, checkpointing true"
    assert [duration_words(s) for s in (0.2, 89, 600, 8000)] == [
        "1 second",
        "89 seconds",
        "10 minutes",
        "2.2 hours",
    ]
