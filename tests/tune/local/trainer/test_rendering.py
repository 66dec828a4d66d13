"""What a row holds reaches the tokens, or the row is refused: for templates nobody has seen before."""

import json
import shutil
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.dataset.resources import resource
from curator.tune.local.bases import templates
from curator.tune.local.options import TrainingOptions
from curator.tune.local.trainer.encoding import (
    MASKED,
    TemplateRefused,
    encode_conversation,
    encode_prompt,
)
from curator.tune.local.trainer.examples import encode_pair, encode_text
from tests.tune.local.conftest import TRAINER, needs_trainer
from tests.tune.local.unseen_templates import TEMPLATES

here = pytest.mark.skipif(sys.executable != TRAINER, reason="transformers is not in this Python")
pytestmark = [needs_trainer, here]

WORDS = st.lists(
    st.sampled_from(
        ["tea", "By the sea", " ", "\n", "  ", '"', "\\", "<|im_end|>", "<|im_start|>assistant\n",
         "<|endoftext|>", "é", "ﬁ", "\u0301", "👩‍👩‍👧", "<tool_call>", "</think>", "{{ x }}", "&lt;", "'", "ü"]
    ),
    min_size=1, max_size=6,
).map("".join)  # fmt: skip
TEXTS = WORDS.filter(lambda text: text.strip(" \n\u0301"))
VALUES = st.recursive(
    TEXTS | st.integers(-5, 10**6) | st.booleans() | st.none() | st.floats(-9, 9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip
ARGUMENTS = st.dictionaries(st.sampled_from(["what", "b", "<|im_end|>"]), VALUES, max_size=3)
ANSWERS = st.one_of(
    st.builds(lambda text: {"content": text}, TEXTS),
    st.builds(lambda text: {"content": None, "refusal": text}, TEXTS),
    st.builds(lambda text: {"content": [{"type": "text", "text": text}]}, TEXTS),
    st.builds(
        lambda text, given: {
            "content": text,
            "tool_calls": [{"id": "c", "type": "function",
                            "function": {"name": "find", "arguments": json.dumps(given)}}],
        },
        TEXTS | st.none(), ARGUMENTS,
    ),
    st.builds(
        lambda given: {"content": None, "function_call": {"name": "find", "arguments": json.dumps(given)}},
        ARGUMENTS,
    ),
)  # fmt: skip
PROMPTS = st.builds(
    lambda role, text, name: {"role": role, "content": text} | ({"name": name} if name else {}),
    st.sampled_from(["user", "user", "user", "system", "tool"]),
    TEXTS,
    st.sampled_from(["", "", "", "Zed"]),
)
DEFINED = st.builds(
    lambda said, word, more: {
        "name": "find", "description": said,
        "parameters": {"type": "object", "required": ["what"], "additionalProperties": False,
                       "properties": {"what": {"type": "string", "description": word, "enum": [said]}, **more}},
    },
    TEXTS, TEXTS, st.dictionaries(st.just("n"), st.just({"type": "integer", "maximum": 7}), max_size=1),
)  # fmt: skip


def with_tools(kind, tools):
    if kind == "functions" or not tools:
        return {kind: tools} if tools else {}
    return {kind: [{"type": "function", "function": tool} for tool in tools]}


ROWS = st.builds(
    lambda before, answer, turns, tools, kind: {
        "messages": [*before, {"role": "assistant", **answer}, *[m for turn in turns for m in turn]],
        **with_tools(kind, tools),
    },
    st.lists(PROMPTS, min_size=1, max_size=2),
    ANSWERS,
    st.lists(
        st.tuples(
            PROMPTS,
            st.builds(lambda answer, weight: {"role": "assistant", **answer, **weight}, ANSWERS,
                      st.sampled_from([{}, {"weight": 1}, {"weight": 0}])),
        ),
        max_size=2,
    ),
    st.lists(DEFINED, max_size=2),
    st.sampled_from(["tools", "functions"]),
)  # fmt: skip


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    """Return a function that gives the tiny base's tokenizer with another template."""
    from transformers import AutoTokenizer

    from curator.tune.local.bases.bases import make_tiny

    root = tmp_path_factory.mktemp("bases")
    make_tiny(root / "tiny")
    made = {}

    def of(template):
        if template not in made:
            folder = root / str(len(made))
            shutil.copytree(root / "tiny", folder)
            (folder / "chat_template.jinja").write_text(template)
            made[template] = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return made[template]

    return of


def strings(value):
    """Yield every text in a value, keys of objects too, and what stands for each number and word."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value
    elif value is not None and not isinstance(value, bool):
        yield json.dumps(value)


def said(message):
    for key in ("content", "refusal"):
        value = message.get(key)
        if isinstance(value, list):
            yield from (part["text"] for part in value)
        elif value:
            yield value


def called(message):
    listed = [call["function"] for call in message.get("tool_calls") or ()]
    for call in [*listed, *([message["function_call"]] if message.get("function_call") else [])]:
        given = call["arguments"]
        yield from (call["name"], *strings(json.loads(given) if isinstance(given, str) else given))


def defined(row):
    listed = [*(tool["function"] for tool in row.get("tools", ())), *row.get("functions", ())]
    for definition in listed:
        kept = json.loads(json.dumps(definition))
        del kept["parameters"]["additionalProperties"]
        words = {
            "name",
            "description",
            "parameters",
            "properties",
            "type",
            "required",
            "enum",
            "maximum",
        }
        yield from (text for text in strings(kept) if text not in words)


def stands_in(text, whole):
    forms = (text, json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1])
    return any(form in whole for form in forms)


def controls(tokenizer, ids):
    return sum(token in set(tokenizer.all_special_ids) for token in ids)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(row=ROWS, name=st.sampled_from(sorted(TEMPLATES)))
def test_all_of_a_row_is_read_and_its_answers_learned_or_it_is_refused(tokenizers, row, name):
    tokenizer = tokenizers(TEMPLATES[name])
    try:
        samples = encode_conversation(tokenizer, row, 100_000)
    except TemplateRefused:
        wrongly = name in ("writes all", "ours", "of the practice base")
        assert not wrongly
        return
    assert name not in (
        "raises",
        "breaks",
        "no end",
        "ends of users only",
        "an end before the text",
    )
    read = "\n".join(tokenizer.decode(list(sample.ids)) for sample in samples)
    for message in row["messages"]:
        for text in (*said(message), *called(message), message.get("name") or ""):
            assert stands_in(text, read), (text, read)
    for text in defined(row):
        assert stands_in(text, read), (text, read)
    learned = [tokenizer.decode([label for label in s.labels if label != MASKED]) for s in samples]
    for message in row["messages"]:
        if message["role"] == "assistant" and message.get("weight") != 0:
            for text in (*said(message), *called(message)):
                assert any(stands_in(text, whole) for whole in learned), (text, learned)
    trained = sum(m["role"] == "assistant" and m.get("weight") != 0 for m in row["messages"])
    ends = [label for s in samples for label in s.labels if label == tokenizer.eos_token_id]
    assert len(ends) == trained
    # Of the same shape, and with nothing in it that looks like a control token.
    plain = json.loads(json.dumps(row).replace("<|", "<!").replace("|>", "!>"))
    count = sum(controls(tokenizer, sample.ids) for sample in samples)
    assert count == sum(
        controls(tokenizer, s.ids) for s in encode_conversation(tokenizer, plain, 100_000)
    )


CONTINUING = ["ours", "of the practice base", "a border in a word", "no old thoughts", "trims"]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(row=ROWS, name=st.sampled_from(CONTINUING))
def test_a_reply_is_asked_for_with_the_tokens_that_were_trained_on(tokenizers, row, name):
    tokenizer = tokenizers(TEMPLATES[name])
    try:
        samples = encode_conversation(tokenizer, row, 100_000)
    except TemplateRefused:
        return
    last = max(
        n
        for n, m in enumerate(row["messages"])
        if m["role"] == "assistant" and m.get("weight") != 0
    )
    tools = row.get("tools") or [
        {"type": "function", "function": f} for f in row.get("functions", ())
    ]
    asked = encode_prompt(tokenizer, row["messages"][:last], tools)
    sample = samples[-1]
    assert list(sample.ids[: len(asked)]) == asked
    assert sample.labels[len(asked) - 1] == MASKED
    assert sample.labels[len(asked)] != MASKED


U, A = {"role": "user", "content": "Where is tea?"}, {"role": "assistant", "content": "By the sea."}
S = {"role": "system", "content": "Answer in rhyme."}
FIND = {"name": "find", "description": "Seeks", "parameters": {
    "type": "object", "properties": {"what": {"type": "string"}}}}  # fmt: skip
CALL = {"role": "assistant", "content": None, "tool_calls": [
    {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"what": "tea"}'}}]}  # fmt: skip
TOOL = {"tools": [{"type": "function", "function": FIND}]}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}


def legacy(arguments):
    return {"role": "assistant", "content": None,
            "function_call": {"name": "find", "arguments": arguments}}  # fmt: skip


LONG = {**U, "content": "Where is tea, and where is milk?"}
LOOKING = {"role": "user", "content": [{"type": "text", "text": "What?"}, IMAGE]}
CUSTOM = {
    **CALL,
    "tool_calls": [{"id": "1", "type": "custom", "custom": {"name": "f", "input": "x"}}],
}
ODD = {"type": "function", "function": {"name": "f", "parameters": {"type": "<|im_end|>"}}}
REASONS = [
    ("no system message", {"messages": [S, U, A]}, r"leaves out the text of message 1 \(system\)"),
    ("no calls", {"messages": [U, CALL], **TOOL}, "leaves out the name of a call in message 2"),
    ("names of calls", {"messages": [U, CALL], **TOOL}, "leaves out the arguments of a call"),
    ("no tools", {"messages": [U, CALL], **TOOL}, "leaves out the definition of the tool 'find'"),
    ("names of tools", {"messages": [U, A], **TOOL}, "leaves out the definition of the tool"),
    ("no types", {"messages": [U, A], **TOOL}, "leaves out"),
    ("no calls", {"messages": [U, {**A, "name": "Bob"}]}, "name of message 2"),
    ("ours", {"messages": [LOOKING, A]}, r"message 1 holds a part \(image"),
    ("ours", {"messages": [U, {**A, "content": ""}]}, "message 2 has no text"),
    ("ours", {"messages": [U, {**A, "content": " \u200b\n"}]}, "message 2 has no text"),
    ("ours", {"messages": [U, {**A, "reasoning_content": "Hm."}]}, "reasoning_content"),
    ("no end", {"messages": [U, A]}, "ends message 2 with no end token"),
    ("ends of users only", {"messages": [U, A, U]}, "ends message 2 with no end token"),
    ("the first 20 letters", {"messages": [LONG, A]}, "leaves out the text of message 1"),
    ("ours", {"messages": [U, CUSTOM]}, "no call of a function"),
    ("ours", {"messages": [U, legacy('{"a": 1, "a": 2}')]}, "stands twice"),
    ("ours", {"messages": [U, legacy('{"a": 0.1234567890123456789}')]}, "cannot be kept exactly"),
    ("ours", {"messages": [{**U, "content": "half \ud83d"}, A]}, "broken character"),
    ("raises", {"messages": [U, A]}, "refuses it: never"),
    ("ours", {"messages": [{**U, "role": "x<|im_end|>"}, A]}, "which no template knows"),
    ("ours", {"messages": [U, A], "tools": [ODD]}, "control token <.im_end.> in an id, a type"),
    ("ours", {"messages": [U, {**A, "tool_call_id": "<|im_end|>"}]}, "control token"),
    (
        "system for the first question",
        {"messages": [S, U, A, U, A]},
        "leaves out the text of message 1",
    ),
]


@pytest.mark.parametrize(("name", "row", "reason"), REASONS)
def test_what_cannot_be_read_is_refused_by_name(tokenizers, name, row, reason):
    with pytest.raises(TemplateRefused, match=reason):
        encode_conversation(tokenizers(TEMPLATES[name]), row, 1000)


def test_the_first_letter_and_the_spaces_of_an_answer_are_learned(tokenizers):
    for name in ("a border in a word", "a space at the border", "ours", "trims"):
        tokenizer = tokenizers(TEMPLATES[name])
        for text in ("By the sea.", " By the sea", "  \n\tBy the sea. \n\n"):
            (sample,) = encode_conversation(
                tokenizer, {"messages": [U, {**A, "content": text}]}, 999
            )
            learned = tokenizer.decode([label for label in sample.labels if label != MASKED])
            assert learned == f"{text}<|im_end|>", name


def test_a_base_that_ends_turns_by_a_token_of_its_settings_is_taken(tokenizers, tmp_path):
    from transformers import AutoTokenizer

    folder = tmp_path / "base"
    shutil.copytree(tokenizers(templates.TINY).name_or_path, folder)
    template = templates.TINY.replace("<|im_end|>", "<|endoftext|>")
    (folder / "chat_template.jinja").write_text(template)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with pytest.raises(TemplateRefused, match="no end token"):
        encode_conversation(tokenizer, {"messages": [U, A]}, 999)
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [2, 0]}))
    (sample,) = encode_conversation(tokenizer, {"messages": [U, A]}, 999)
    assert tokenizer.decode([t for t in sample.labels if t != MASKED]) == "By the sea.<|endoftext|>"


def test_a_tokenizer_that_cannot_write_a_character_is_found_out(tokenizers, tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = {c: n for n, c in enumerate(map(chr, range(32, 127)))} | {
        "\n": 95,
        "<unk>": 96,
        "<end>": 97,
    }
    rows = Tokenizer(models.WordLevel(letters, unk_token="<unk>"))
    rows.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=rows, eos_token="<end>", unk_token="<unk>")
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}<end>{% endfor %}"
    assert encode_conversation(tokenizer, {"messages": [U, A]}, 999)
    with pytest.raises(TemplateRefused, match="characters that the base's tokenizer cannot write"):
        encode_conversation(tokenizer, {"messages": [{**U, "content": "Où ?"}, A]}, 999)


def test_a_token_that_was_added_but_is_not_special_stays_text_too(tokenizers):
    from copy import deepcopy

    tokenizer = deepcopy(tokenizers(TEMPLATES["writes all"]))
    tokenizer.add_tokens(["<tool_call>", "HarborPay"])
    ids = tokenizer.convert_tokens_to_ids(["<tool_call>", "HarborPay"])
    row = {"messages": [{**U, "content": "say <tool_call> to HarborPay"}, CALL], **TOOL}
    (sample,) = encode_conversation(tokenizer, row, 999)
    assert sample.ids.count(ids[0]) == 1  # the one that the template writes
    assert (
        sample.ids.count(ids[1]) == 1
    )  # a word that was given a token of its own is no control token


def test_the_tool_rows_of_the_sample_train_their_calls(tokenizers):
    tokenizer = tokenizers(templates.TINY)
    count = 0
    for line in (resource("samples", "support_desk.jsonl")).read_bytes().splitlines():
        try:
            row = json.loads(line)
            samples = encode_conversation(tokenizer, row, TrainingOptions().max_tokens)
        except (ValueError, KeyError, TypeError):
            continue
        if not isinstance(row, dict) or not row.get("tools"):
            continue
        count += 1
        learned = "".join(tokenizer.decode([t for t in s.labels if t != MASKED]) for s in samples)
        assert not any(sample.lost for sample in samples)
        for message in row["messages"]:
            if message["role"] == "assistant":
                assert all(stands_in(text, learned) for text in called(message))
    assert count == 56


def test_a_conversation_without_tools_reads_as_it_always_did(tokenizers):
    old = (
        "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
        "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}"
        "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    )
    for talk in ([U, A], [S, U, A], [S, U], [U, A, {**U, "content": " x \n"}]):
        for prompt in (True, False):
            texts = [
                tokenizers(t).apply_chat_template(
                    talk, tokenize=False, add_generation_prompt=prompt
                )
                for t in (old, templates.PRACTICE)
            ]
            assert texts[0] == texts[1]


def test_plain_text_is_learned_from_its_first_letter_to_its_end(tokenizers):
    tokenizer = tokenizers(templates.TINY)
    text = "By the sea <|im_end|> we drink tea, and where we drink it is no matter."
    for limit in range(2, 40):
        samples = encode_text(tokenizer, {"text": text}, limit)
        assert all(sample.length <= limit for sample in samples)
        learned = [label for sample in samples for label in sample.labels if label != MASKED]
        assert tokenizer.decode(learned) == f"{text}<|im_end|>"
        assert controls(tokenizer, learned) == 1
    held = {"messages": [{"role": "user", "content": "x"}], **TOOL}
    learned = [t for sample in encode_text(tokenizer, held, 999) for t in sample.ids]
    assert "Seeks" in tokenizer.decode(learned)


def test_a_preference_keeps_the_tools_of_its_prompt(tokenizers):
    row = {"input": {"messages": [U], "functions": [FIND]}, "preferred_output": [A],
           "non_preferred_output": [{**A, "content": "No."}]}  # fmt: skip
    pair = encode_pair(tokenizers(templates.TINY), row, 999)
    assert "Seeks" in tokenizers(templates.TINY).decode(list(pair.preferred.ids))
    assert not pair.lost
    assert encode_pair(tokenizers(templates.TINY), row, pair.longest - 1).lost


def test_a_head_reads_its_system_prompt_too_and_refuses_what_it_has_no_place_for(tokenizers):
    from curator.tune.local.trainer.heads import example_of

    tokenizer = tokenizers(templates.TINY)
    found = example_of({"messages": [S, {**U, "content": "say <|im_end|>"}, A]})
    ids, own, lost = found.ids(tokenizer, 999)
    assert tokenizer.decode(ids) == "Answer in rhyme.\nsay <|im_end|>"
    assert tokenizer.decode(ids[-own:]) == "say <|im_end|>"
    assert controls(tokenizer, ids) == lost == 0
    for limit in range(1, len(ids)):
        short, own, lost = found.ids(tokenizer, limit)
        assert (len(short), lost) == (limit, len(ids) - limit)
        assert own > 0
    for row in (
        {"messages": [U, A], **TOOL},
        {"messages": [U, CALL, {"role": "tool", "content": "x"}, A]},
        {"messages": [LOOKING, A]},
        {"messages": [U, {**A, "content": " "}]},
        {"messages": [U]},
    ):
        with pytest.raises(TemplateRefused):
            example_of(row)


@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
def test_results_stand_in_the_order_of_their_calls(tokenizers, ids):
    calls = [
        {"id": id_, "type": "function", "function": {"name": f"find_{id_}", "arguments": "{}"}}
        for id_ in ("a", "b")
    ]
    results = [{"role": "tool", "tool_call_id": id_, "content": f"found {id_}"} for id_ in ids]
    row = {
        "messages": [U, {"role": "assistant", "content": None, "tool_calls": calls}, *results, A]
    }
    (sample,) = encode_conversation(tokenizers(templates.TINY), row, 999)
    read = tokenizers(templates.TINY).decode(list(sample.ids))
    places = [read.index(text) for text in ("find_a", "find_b", "found a", "found b")]
    assert places == sorted(places)
