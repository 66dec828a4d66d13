"""One of a thing is said as one, any other number of it as several."""

import pytest

from curator.dataset.counted import counted, plural


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("conversation", "conversations"), ("copy", "copies"), ("key", "keys"), ("epoch", "epochs"),
        ("batch", "batches"), ("other service", "other services"), ("byte", "bytes"),
    ],
)  # fmt: skip
def test_one_and_many(one, many):
    assert plural(one) == many
    assert [counted(n, one) for n in (0, 1, 2, 1_200)] == [
        f"0 {many}", f"1 {one}", f"2 {many}", f"1,200 {many}",
    ]  # fmt: skip


def test_the_verb_follows_the_number():
    assert counted(1, "row is", "rows are") == "1 row is"
    assert counted(2, "row is", "rows are") == "2 rows are"
