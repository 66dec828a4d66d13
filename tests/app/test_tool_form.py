"""The form of a tool definition changes what it shows and keeps everything else."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from curator.app.editor import tool_shape
from curator.app.editor.tool_definitions import ToolDefinitions
from curator.app.editor.tool_shape import TYPES

NAME = st.sampled_from(("a", "b_c", "city", "x", "zebra", "days"))
JSON = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=4),
    st.lists(st.integers(0, 3), max_size=2), st.just({"deep": [1, {"er": None}]}),
)  # fmt: skip
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCHEMA = st.fixed_dictionaries(
    {},
    optional={"type": st.sampled_from(TYPES) | JSON, "description": JSON, "enum": JSON, "x": JSON},
)


@st.composite
def tools(draw):
    """Definitions as people have them: with keys nobody knows, odd types and lists of required ones."""
    properties = draw(st.dictionaries(NAME, SCHEMA, max_size=4))
    required = draw(st.lists(st.sampled_from([*properties, "gone"]), max_size=3, unique=True))
    schema = draw(st.dictionaries(NAME, JSON, max_size=2)) | {"properties": properties}
    if draw(st.booleans()):
        schema["required"] = required
    function = {
        "name": draw(NAME),
        **draw(st.dictionaries(NAME, JSON, max_size=2)),
        "parameters": schema,
    }
    return {
        "type": "function",
        **draw(st.dictionaries(NAME, JSON, max_size=2)),
        "function": function,
    }


def shape(tool):
    return [each.name for each in tool_shape.parameters(tool)]


@QUICK
@given(tools())
def test_what_is_set_to_what_it_was_changes_nothing(tool):
    assert tool_shape.is_usual(tool)
    before = json.dumps(tool)
    for one in tool_shape.parameters(tool):
        assert json.dumps(tool_shape.renamed(tool, one.name, one.name)) == before
        assert json.dumps(tool_shape.with_required(tool, one.name, required=one.required)) == before
        if isinstance(one.type, str):
            same = tool_shape.with_parameter(tool, one.name, "type", one.type)
            assert json.dumps(same) == before
    name = tool["function"]["name"]
    assert json.dumps(tool_shape.with_word(tool, "name", name)) == before


@QUICK
@given(tools(), st.data())
def test_a_change_touches_only_what_it_names(tool, data):
    names = shape(tool)
    added = tool_shape.with_new_parameter(tool)
    assert shape(added)[:-1] == names
    assert json.loads(json.dumps(tool_shape.without_parameter(added, shape(added)[-1]))) == {
        **tool, "function": {**tool["function"], "parameters": {
            **({} if "type" in tool["function"]["parameters"] else {"type": "object"}),
            **tool["function"]["parameters"]}}
    }  # fmt: skip
    if not names:
        return
    one = data.draw(st.sampled_from(names))
    moved = tool_shape.renamed(tool, one, "another")
    assert shape(moved) == ["another" if each == one else each for each in names]
    assert tool_shape.renamed(moved, "another", one) == tool
    other = tool_shape.with_parameter(tool, one, "description", "new words")
    before, after = (t["function"]["parameters"]["properties"] for t in (tool, other))
    assert {k: v for k, v in after.items() if k != one} == {
        k: v for k, v in before.items() if k != one
    }
    assert {**after[one], "description": before[one].get("description")} == {
        **before[one], "description": before[one].get("description")
    }  # fmt: skip
    taken = names[0] if one != names[0] else names[-1]
    assert tool_shape.renamed(tool, one, "") == tool
    assert taken == one or tool_shape.renamed(tool, one, taken) == tool


@pytest.mark.parametrize(
    "tool", [None, 3, [], {}, {"function": 1}, {"function": {"parameters": []}},
             {"function": {"parameters": {"properties": {"a": 1}}}},
             {"function": {"parameters": {"required": "a"}}}]
)  # fmt: skip
def test_what_a_form_cannot_show_is_left_to_the_json(qtbot, tool):
    card = ToolDefinitions()
    qtbot.addWidget(card)
    card.show_tools([tool])
    card.unfold()
    card.show()
    qtbot.waitUntil(card._fields[0].isVisible)
    assert not card._forms[0].isVisible()


WEATHER = {
    "type": "function", "strict": True,
    "function": {"name": "weather", "description": "Says the weather", "x": 1.0, "parameters": {
        "type": "object", "additionalProperties": False, "required": ["city"], "properties": {
            "city": {"type": "string", "description": "Where", "enum": ["Bern"]},
            "days": {"type": ["integer", "null"]}}}},
}  # fmt: skip


@pytest.fixture
def card(qtbot):
    made = ToolDefinitions()
    qtbot.addWidget(made)
    made.told = []
    made.typed.connect(made.told.append)
    made.show_tools([WEATHER])
    made.unfold()
    made.show()
    qtbot.waitUntil(made._forms[0].isVisible)
    return made


def test_the_form_and_the_json_show_the_same(card, qtbot):
    form, field = card._forms[0], card._fields[0]
    assert (form.name.text(), form.description.text()) == ("weather", "Says the weather")
    city, days = form.rows
    assert (city.name.text(), city.type.currentText(), city.required.isChecked()) == (
        "city", "string", True,
    )  # fmt: skip
    assert (days.type.currentText(), days.required.isChecked()) == ("as in the JSON", False)
    qtbot.keyClicks(form.name, "_now")
    days.required.click()
    city.description.setFocus()
    qtbot.keyClicks(city.description, " is it")
    last = card.told[-1][0]
    assert json.loads(field.text.text()) == last
    expected = json.loads(json.dumps(WEATHER))
    function = expected["function"]
    function["name"] = "weather_now"
    function["parameters"]["required"] = ["city", "days"]
    function["parameters"]["properties"]["city"]["description"] = "Where is it"
    assert last == expected
    # What nobody touched keeps its order and its kind.
    assert json.dumps(last) == json.dumps(expected)


def test_parameters_come_and_go(card, qtbot):
    form = card._forms[0]
    form._add.click()
    assert len(form.rows) == 3
    qtbot.keyClicks(form.rows[2].name, "unit")
    form.rows[2].type.setCurrentText("boolean")
    form.rows[2].type.activated.emit(0)
    properties = card.told[-1][0]["function"]["parameters"]["properties"]
    assert properties["unit"] == {"type": "boolean", "description": ""}
    form.rows[0].remove.click()
    schema = card.told[-1][0]["function"]["parameters"]
    assert list(schema["properties"]) == ["days", "unit"]
    assert schema["required"] == []
    card.set_read_only(read_only=True)
    assert not form._add.isVisible()
    assert not form.rows[0].remove.isVisible()
    assert form.name.isReadOnly()


def test_words_in_the_json_reach_the_form(card, qtbot):
    field = card._fields[0]
    changed = json.loads(json.dumps(WEATHER))
    changed["function"]["parameters"]["properties"]["city"]["type"] = "number"
    field.text.selectAll()
    field.text.insertPlainText(json.dumps(changed))
    assert card._forms[0].rows[0].type.currentText() == "number"
    assert Qt.FocusPolicy.StrongFocus == card._forms[0].rows[0].type.focusPolicy()
