"""Strategies for lines that no form prepares for, and for plain ones."""

from hypothesis import strategies as st

odd_text = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=()), max_size=8),
    st.sampled_from(
        [
            "",
            " ",
            "weather",
            "Hi",
            "\ud800",
            "{}",
            '{"a":1}',
            '"{\\"a\\": 1}"',
            "call_1",
            "the tool",
            "caf\ufffd",
            "cafÃ©",
            "lo\u200ban",
            "\u200b\x00",
        ]
    ),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(allow_nan=False, allow_infinity=False),
    odd_text,
)
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(odd_text, inner, max_size=3)
    ),
    max_leaves=6,
)


def sometimes(usual, odd=json_values):
    """Mostly what a form expects, now and then anything."""
    return st.one_of(usual, usual, usual, usual, usual, odd)


names = st.sampled_from(["weather", "tides", "the weather", "wetter", "a\ud800", "a_"])
ids = st.sampled_from(["call_1", "call_2", "call_9", ""])
OTHER_ROLES = ("human", "gpt", "observation", "sys", "User", "narrator")
roles = st.sampled_from(
    ("system", "developer", "user", "assistant", "tool", "function", *OTHER_ROLES)
)
arguments = sometimes(
    st.sampled_from(
        ["{}", "", '{"city":"Oslo"}', "{oops", '"{\\"city\\":1}"', "[1]", {"city": "Oslo"}, None]
    )
)


def maybe(**keys):
    """A dictionary that has some of these keys."""
    return st.fixed_dictionaries({}, optional=keys)


functions = sometimes(maybe(name=sometimes(names), arguments=arguments, argument=scalars))
calls = sometimes(
    maybe(id=sometimes(ids), type=sometimes(st.just("function")), function=functions, index=scalars)
)
parts = sometimes(
    maybe(
        type=sometimes(
            st.sampled_from(["text", "image_url", "refusal", "input_audio", "input_text"])
        ),
        cache=scalars,
        detail=st.sampled_from(["low", "ultra", None]),
        text=odd_text,
        image_url=sometimes(
            maybe(url=st.sampled_from(["https://a.example/a.gif", "data:image/png,AA", ""]))
        ),
    )
)
contents = sometimes(st.one_of(odd_text, odd_text, st.lists(parts, max_size=3), st.none()))
messages = sometimes(
    st.fixed_dictionaries(
        {"role": sometimes(roles), "content": contents},
        optional={
            "name": sometimes(names),
            "weight": sometimes(st.sampled_from([0, 1, True, False, "1", "0", 1.0, 0.5, None])),
            "tool_calls": sometimes(st.lists(calls, max_size=2)),
            "tool_call_id": sometimes(ids),
            "function_call": functions,
            "refusal": scalars,
            "note": json_values,
        },
    )
)
parameters = sometimes(
    maybe(
        type=sometimes(st.just("object")),
        properties=sometimes(maybe(city=sometimes(maybe(type=sometimes(st.just("string")))))),
        required=sometimes(st.just(["city"])),
        additionalProperties=scalars,
    )
)
bodies = sometimes(maybe(name=sometimes(names), parameters=parameters))
tools = sometimes(
    st.one_of(
        maybe(type=sometimes(st.just("function")), function=bodies, strict=scalars),
        maybe(name=names, parameters=parameters),
    )
)
lines = st.fixed_dictionaries(
    {"messages": sometimes(st.lists(messages, max_size=6))},
    optional={
        "tools": sometimes(st.lists(tools, max_size=3)),
        "functions": sometimes(st.lists(bodies, max_size=2)),
        "parallel_tool_calls": scalars,
        "source": json_values,
    },
)

words = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "Hi",
            "role",
            "content",
            "messages",
            "a@bank.org",
            "<|im_end|>",
            '"role"',
            "\ud800",
            " ",
            "é",
            "caf\ufffd",
            "cafÃ© РџСЂРёРІРµС‚",
            "lo\u200ban",
            "\u200b",
            "\x00",
            "\u2800",
            "می\u200cخواهم",
        ]
    ),
)
plain_lines = st.fixed_dictionaries(
    {"messages": st.lists(st.fixed_dictionaries({"role": roles, "content": words}), max_size=5)}
)
