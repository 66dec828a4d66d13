"""Nothing a JSON text holds may be lost between reading and writing."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.dataset.json_values import (
    BadJson,
    canonical,
    canonical_pairs,
    dumps,
    loads,
    repeated_keys,
)

texts = st.text(alphabet=st.characters(exclude_categories=()), max_size=20)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def no_split_pairs(value: object) -> bool:
    """A high and a low surrogate side by side are one character once written as JSON."""
    text = json.dumps(value, ensure_ascii=False)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").count("�") == sum(
        0xD800 <= ord(c) < 0xE000 or c == "�" for c in text
    )


@given(values)
def test_what_is_written_reads_back_the_same(value):
    if no_split_pairs(value):
        assert loads(dumps(value)) == value


@given(values)
def test_written_text_is_always_utf8_on_one_line(value):
    encoded = dumps(value).encode("utf-8")
    assert b"\n" not in encoded
    assert b"\r" not in encoded


@given(st.dictionaries(texts, values, max_size=5))
def test_equal_values_share_the_canonical_form(value):
    shuffled = dict(reversed(value.items()))
    assert canonical(value) == canonical(shuffled)


@pytest.mark.parametrize(
    "number",
    [
        "1e400",
        "-1e999",
        "0.1000000000000000055511151231257827",
        "123456789012345678901234567890",
        "1E5",
    ],
)
def test_numbers_no_float_holds_keep_their_value(number):
    written = dumps({"b": [loads(number)], "a": "ü"})
    assert Decimal(written.split("[")[1].split("]")[0]) == Decimal(number)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}'])
def test_constants_outside_json_are_refused(text):
    with pytest.raises(BadJson, match="is not JSON"):
        loads(text)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_bottomless_nesting_is_refused_not_recursed_into(opening):
    with pytest.raises(BadJson, match="nested too deeply"):
        loads(opening * 100_000)


def test_a_number_of_many_digits_is_refused_in_words():
    with pytest.raises(BadJson):
        loads("9" * 5000)


def test_syntax_errors_name_the_column():
    with pytest.raises(BadJson) as caught:
        loads('{"a": 1,}')
    assert caught.value.column in (8, 9)


def test_repeated_keys_are_named_with_all_their_values():
    found = repeated_keys('{"a":1,"b":{"c":1,"c":2},"a":1,"a":1.0}')
    assert [(each.key, each.values, each.differ) for each in found] == [
        ("c", (1, 2), True),
        ("a", (1, 1, 1.0), True),
    ]
    assert not repeated_keys('{"a":{"x":1,"y":2},"a":{"y":2,"x":1}}')[0].differ
    assert repeated_keys('{"a":[{"a":1},{"a":2}]}') == ()


def test_the_form_of_pairs_keeps_every_value_and_forgets_spacing_and_order():
    assert canonical_pairs('{"a":1, "b":2}') == canonical_pairs('{"b":2,"a":1}')
    forms = {canonical_pairs(f'{{"a":{first},"a":2}}') for first in (1, 2, 3)}
    assert len(forms) == 3
