"""The formats beside OpenAI chat: what comes in, what is refused and why, and what goes out and comes back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.dataset.errors import UnreadableInput, WrongUse
from curator.formats import alpaca, prompt_completion, registry, sharegpt
from curator.formats.conversion import BadRecord, CannotHold

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
FUNCTION = {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}
TOOL = {"type": "function", "function": FUNCTION}


def user(text):
    return {"role": "user", "content": text}


def answer(text, **more):
    return {"role": "assistant", "content": text, **more}


def call(number, arguments="{}"):
    function = {"name": "f", "arguments": arguments}
    return {"id": f"call_{number}", "type": "function", "function": function}


ARGUMENTS = st.dictionaries(TEXTS, st.integers() | TEXTS, max_size=2)


@st.composite
def conversations(draw):
    """Conversations in the form in which an import gives them, of everything that ShareGPT can say."""
    messages = [{"role": "system", "content": draw(TEXTS)}] if draw(st.booleans()) else []
    made = 0
    for _ in range(draw(st.integers(1, 4))):
        messages.append(user(draw(TEXTS)))
        count = draw(st.integers(0, 2))
        if count:
            written = [json.dumps(draw(ARGUMENTS), ensure_ascii=False, separators=(",", ":"))
                       for _ in range(count)]  # fmt: skip
            calls = [call(made + n, text) for n, text in enumerate(written, 1)]
            messages.append({"role": "assistant", "tool_calls": calls})
            messages += [
                {"role": "tool", "tool_call_id": each["id"], "content": draw(TEXTS)}
                for each in calls
            ]
            made += count
        messages.append(answer(draw(TEXTS)))
    found = {"messages": messages}
    if draw(st.booleans()):
        found["tools"] = [TOOL]
    if draw(st.booleans()):
        found["origin"] = draw(TEXTS)
    return found


FORMAT = registry.format_named("sharegpt")


def there_and_back(fields):
    line, losses = FORMAT.write_line(json.dumps(fields).encode())
    return json.loads(FORMAT.read_line(line)), losses


@given(conversations())
def test_what_sharegpt_can_say_comes_back_as_it_was(fields):
    assert there_and_back(fields) == (fields, frozenset())


LOSSES = {
    "weights": lambda c: c | {"messages": [*c["messages"], answer("x", weight=0)]},
    "names": lambda c: c | {"messages": [*c["messages"], user("x") | {"name": "ann"}]},
    "ids of calls": lambda c: c | {
        "messages": [*c["messages"],
                     {"role": "assistant", "tool_calls": [call(0) | {"id": "other"}]}]
    },
    "developer roles": lambda c: c | {
        "messages": [{"role": "developer", "content": "x"}, *c["messages"]]
    },
    "parallel_tool_calls": lambda c: c | {"parallel_tool_calls": False},
}  # fmt: skip


@given(conversations(), st.sets(st.sampled_from(sorted(LOSSES))))
def test_whatever_does_not_come_back_is_named_as_lost(fields, wanted):
    lossy = fields
    for name in sorted(wanted):
        lossy = LOSSES[name](lossy)
    back, losses = there_and_back(lossy)
    assert losses == wanted
    assert (back == lossy) is (not wanted)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([user([{"type": "image_url", "image_url": {"url": "x"}}])], "pictures"),
        ([answer(None, refusal="No.")], "refusals"),
        ([answer("Wait.", tool_calls=[call(1)])], "words beside a call"),
        ([{"role": "assistant", "function_call": {"name": "f"}}], "roles or keys"),
        ([{"role": "function", "name": "f", "content": "x"}], "roles or keys"),
        ([{"role": "tool", "tool_call_id": "a", "content": "x"}], "in order"),
        (
            [
                {"role": "assistant", "tool_calls": [call(1), call(2)]},
                {"role": "tool", "tool_call_id": "call_2", "content": "x"},
            ],
            "in order",
        ),
        ([{"role": "assistant", "tool_calls": [call(1, "{")]}], "no JSON"),
        ([{"role": "assistant", "tool_calls": [call(1, '{"a":1,"a":2}')]}], "no JSON object"),
        ([{"role": "assistant", "tool_calls": [call(1, '"{}"')]}], "no JSON object"),
        ([answer(None)], "without a text"),
        ([user("x") | {"value": "y"}], "roles or keys"),
    ],
)
def test_what_sharegpt_has_no_place_for_is_never_written(messages, words):
    with pytest.raises(CannotHold, match=words):
        sharegpt.write({"messages": messages})


def turn(speaker, text):
    return {"from": speaker, "value": text}


GOOD = [
    (
        sharegpt,
        {"conversations": [turn("human", "a"), turn("gpt", "b")], "system": "S", "id": 7},
        {"messages": [{"role": "system", "content": "S"}, user("a"), answer("b")], "id": 7},
    ),
    (
        sharegpt,
        {"conversations": [user("a"), {"role": "assistant", "content": "b", "weight": 0}]},
        {"messages": [user("a"), answer("b", weight=0)]},
    ),
    (
        sharegpt,
        {
            "conversations": [
                turn("human", "a"),
                turn("function_call", '{"name": "f", "arguments": {"x": 1}}'),
                turn("observation", "1"),
                turn("gpt", "b"),
            ],
            "tools": json.dumps([FUNCTION]),
        },
        {
            "messages": [
                user("a"),
                {"role": "assistant", "tool_calls": [call(1, '{"x":1}')]},
                {"role": "tool", "tool_call_id": "call_1", "content": "1"},
                answer("b"),
            ],
            "tools": [TOOL],
        },
    ),
    (
        alpaca,
        {"instruction": "a", "input": "", "output": "b"},
        {"messages": [user("a"), answer("b")]},
    ),
    (
        alpaca,
        {"instruction": "a", "input": "c", "response": "b", "system": "S", "history": [["q", "r"]]},
        {
            "messages": [
                {"role": "system", "content": "S"},
                *(user("q"), answer("r"), user("a\nc"), answer("b")),
            ]
        },
    ),
    (
        prompt_completion,
        {"prompt": "a", "completion": " b"},
        {"messages": [user("a"), answer(" b")]},
    ),
    (
        prompt_completion,
        {"prompt": [user("a"), answer("b"), user("c")], "completion": [answer("d")]},
        {"messages": [user("a"), answer("b", weight=0), user("c"), answer("d")]},
    ),
]


@pytest.mark.parametrize(("module", "given_fields", "wanted"), GOOD)
def test_records_become_conversations(module, given_fields, wanted):
    assert module.holds(given_fields)
    assert module.convert(given_fields) == wanted
    known = registry.format_named(module.NAME)
    assert json.loads(known.read_line(json.dumps(given_fields).encode())) == wanted


BAD = [
    (sharegpt, {"conversations": []}, "without turns"),
    (sharegpt, {"conversations": "Hi"}, "a text without turns"),
    (sharegpt, {"conversations": ["Hi"]}, "Turn 1 is a text"),
    (sharegpt, {"conversations": [{"from": "human"}]}, 'Turn 1 has no "value"'),
    (sharegpt, {"conversations": [{"value": "a"}]}, 'Turn 1 has no "from"'),
    (sharegpt, {"conversations": [turn("human", None)]}, "Turn 1 has null"),
    (sharegpt, {"conversations": [turn("narrator", "a")]}, '"narrator"'),
    (sharegpt, {"conversations": [turn("observation", "a")]}, "result without a call"),
    (sharegpt, {"conversations": [turn("function_call", "f(")]}, "no JSON"),
    (sharegpt, {"conversations": [turn("function_call", "[]")]}, "empty list of calls"),
    (sharegpt, {"conversations": [turn("function_call", '{"name": "f"}')]}, "without"),
    (sharegpt, {"conversations": [turn("human", "a")], "tools": "["}, "no JSON"),
    (sharegpt, {"conversations": [turn("human", "a")], "tools": "{}"}, "not a list"),
    (sharegpt, {"conversations": [turn("human", "a")], "chosen": "b"}, "preference"),
    (sharegpt, {"conversations": [turn("human", "a")], "system": 5}, "a number"),
    (alpaca, {"instruction": "a", "output": ["b", "c"]}, "an array"),
    (alpaca, {"instruction": "a", "output": "b", "response": "c"}, "both"),
    (alpaca, {"instruction": "a", "output": "b", "history": [["q"]]}, "Entry 1"),
    (alpaca, {"instruction": None, "output": "b"}, "null"),
    (prompt_completion, {"prompt": "a", "completion": "b", "label": False}, "preference"),
    (prompt_completion, {"prompt": "a", "completion": [answer("b")]}, "neither"),
    (prompt_completion, {"prompt": ["a"], "completion": [answer("b")]}, "neither"),
]


@pytest.mark.parametrize(("module", "fields", "words"), BAD)
def test_what_cannot_be_converted_is_one_sentence(module, fields, words):
    known = registry.format_named(module.NAME)
    with pytest.raises(BadRecord, match=words) as caught:
        known.read_line(json.dumps(fields).encode())
    assert str(caught.value).endswith(".")


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
@pytest.mark.parametrize("name", ["sharegpt", "alpaca", "prompt_completion"])
def test_any_bytes_come_through_or_are_refused(name, line):
    assert registry.format_named(name).read_line(line) == line


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
KEYS = ("conversations", "system", "tools", "instruction", "input", "output", "history", "prompt")


@given(st.dictionaries(st.sampled_from((*KEYS, "completion", "from", "value")), JSON))
def test_any_values_are_converted_or_refused(fields):
    for known in registry.FORMATS:
        try:
            found = json.loads(known.read_line(json.dumps(fields).encode()))
        except BadRecord:
            continue
        assert found == fields or isinstance(found["messages"], list)


def test_a_value_that_another_one_hides_is_never_dropped():
    line = b'{"instruction": "a", "output": "b", "output": "c"}'
    with pytest.raises(BadRecord, match='two values for "output"'):
        registry.format_named("alpaca").read_line(line)


def test_lines_of_openai_chat_come_through_every_format():
    line = b'{ "messages": [{"role": "user", "content": "a"}], "conversations": [] }'
    for known in registry.FORMATS:
        assert known.read_line(line) == line


def test_the_registry_finds_out_what_a_file_holds(tmp_path):
    for module, fields, _ in GOOD:
        for text in (json.dumps(fields), json.dumps([fields] * 3), json.dumps(fields, indent=1)):
            path = tmp_path / "a.json"
            path.write_text(text)
            source = registry.sniff(path)
            assert (source.format, source.confidence) == (module.NAME, 1.0)
    path.write_text('{"messages": []}')
    assert registry.sniff(path).format == "openai_chat"
    assert registry.sniff(path, "alpaca").format == "alpaca"
    path.write_text('{"other": []}')
    assert registry.sniff(path).format == "openai_chat"
    path.write_text("nothing")
    with pytest.raises(UnreadableInput):
        registry.sniff(path)


def test_formats_have_one_name_in_imports_and_exports():
    assert registry.format_named("openai") is registry.format_named("openai_chat")
    assert [registry.export_name(each) for each in registry.WRITTEN] == ["openai", "sharegpt"]
    for name in ("", "nothing"):
        with pytest.raises(WrongUse, match="openai_chat, sharegpt, alpaca"):
            registry.format_named(name)
