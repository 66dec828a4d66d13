"""The form of a call's arguments changes one value and leaves every other letter of the text as it is."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.app.editor.arguments_text import definition_of, read_arguments
from curator.app.editor.tool_calls import ToolCalls

TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {
        "type": "object", "required": ["city"], "properties": {
            "city": {"type": "string", "description": "Where"},
            "days": {"type": "integer"},
            "units": {"type": "string"}}}},
}  # fmt: skip
VALUE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.integers(0, 9), max_size=3), st.just({"a": {"b": [1.0, "é"]}}),
)  # fmt: skip
VALUES = st.dictionaries(st.sampled_from(("city", "days", "units", "x", "y z", "ключ")), VALUE)
STYLES = st.fixed_dictionaries(
    {"ensure_ascii": st.booleans(), "indent": st.sampled_from((None, 2, 4)),
     "separators": st.sampled_from(((", ", ": "), (",", ":")))}
)  # fmt: skip
QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(VALUES, STYLES)
def test_an_argument_set_to_what_it_is_leaves_every_letter(values, style):
    text = json.dumps(values, **style)
    found = read_arguments(TOOL, text)
    assert found is not None
    assert {row.name for row in found.rows()} == {"city", "days", "units", *values}
    for row in found.rows():
        if row.text:
            assert found.with_argument(row.name, row.text) == text


@QUICK
@given(VALUES, STYLES, st.text(min_size=1, max_size=8))
def test_one_argument_changes_and_no_other(values, style, words):
    found = read_arguments(TOOL, json.dumps({**values, "city": "Bern"}, **style))
    changed = found.with_argument("city", words)
    assert json.loads(changed) == {**values, "city": words}
    assert list(json.loads(changed)) == list({**values, "city": "Bern"})


@pytest.mark.parametrize(
    "text",
    [None, 3, "", "no json", "[1]", '{"a": 1,  "b": 2}', '{"a": 1, "a": 2}', '{"a": 1e5}', "{}"],
)
def test_texts_that_would_not_come_back_as_they_are_have_no_form(text):
    found = read_arguments(TOOL, text)
    assert (found is not None) == (text in ("", "{}"))


def test_empty_words_and_words_that_are_no_json():
    found = read_arguments(TOOL, '{"city": "Bern", "days": 3}')
    assert found.with_argument("days", "") == '{"city": "Bern"}'
    assert found.with_argument("days", "three") is None
    assert found.with_argument("city", "") == '{"city": "", "days": 3}'
    assert found.with_argument("units", "C") == '{"city": "Bern", "days": 3, "units": "C"}'


def test_a_definition_is_found_by_its_name():
    assert definition_of([None, {"function": 3}, TOOL], "weather") is TOOL
    assert definition_of([TOOL], "other") is None
    assert definition_of("no list", "weather") is None


def test_the_form_stands_beside_the_json(qtbot):
    calls = ToolCalls()
    qtbot.addWidget(calls)
    told = []
    calls.typed.connect(told.append)
    calls.show_tools([TOOL])
    call = {"id": "c1", "type": "function",
            "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}  # fmt: skip
    calls.show_calls([call])
    calls.show()
    form = calls.forms[0]
    qtbot.waitUntil(form.arguments.isVisible)
    city, days, _units = form.arguments.fields
    assert city.text() == "Bern"
    assert days.text() == ""
    qtbot.keyClicks(city, "e")
    qtbot.keyClicks(days, "12")
    assert told[-1][0]["function"]["arguments"] == '{"city":"Berne","days":12}'
    assert form._arguments.text.text() == '{"city":"Berne","days":12}'
    calls.show_tools([])
    assert not form.arguments.isVisible()
    assert form._arguments.isVisible()
    calls.show_tools([TOOL])
    calls.set_read_only(read_only=True)
    assert form.arguments.fields[0].isReadOnly()
