"""Calls in replies: what a template writes of calls is read back as the same calls, whole or streamed."""

import functools
import io
import json
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.tune.local.bases import light_tokenizer, templates
from curator.tune.local.replies.call_texts import Call, format_of
from curator.tune.local.replies.stream_decoder import StreamDecoder
from tests.tune.local.conftest import TRAINER, Server, needs_trainer, wait_for
from tests.tune.local.replies.test_stream_decoder import Bytes
from tests.tune.local.unseen_templates import TEMPLATES

jinja2 = pytest.importorskip("jinja2")

VALUES = st.recursive(
    st.text('ab"}\\{<> é\n') | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab}"), inner, max_size=2),
    max_leaves=4,
)
CALLS = st.lists(
    st.tuples(st.sampled_from(["find", "a_b"]), st.dictionaries(st.text("ab"), VALUES, max_size=2)),
    min_size=1,
    max_size=3,
)


@functools.cache
def compiled(template):
    return light_tokenizer._compiled(template)


class Only:
    """As much of a tokenizer as a template needs."""

    all_special_tokens = ("<|im_start|>", "<|im_end|>", "<|endoftext|>")

    def __init__(self, template):
        self._template = template

    def apply_chat_template(self, messages, *, tools, add_generation_prompt, tokenize):
        return compiled(self._template).render(
            messages=messages, tools=tools, add_generation_prompt=add_generation_prompt
        )


def turn(template, said, calls):
    listed = [{"function": {"name": name, "arguments": given}} for name, given in calls]
    message = {"role": "assistant", "content": said, "tool_calls": listed}
    text = Only(template).apply_chat_template(
        [message], tools=None, add_generation_prompt=False, tokenize=False
    )
    return text.partition("<|im_start|>assistant\n")[2].removesuffix("<|im_end|>\n")


READABLE = (templates.TINY, templates.PRACTICE, TEMPLATES["writes all"])


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(template=st.sampled_from(READABLE), said=st.text("ab \n<", max_size=6), calls=CALLS)
def test_what_a_template_writes_is_read_as_the_same_calls(template, said, calls):
    found = format_of(Only(template))
    text = turn(template, said, calls)
    left, read = found.read(text)
    assert [(call.name, json.loads(call.arguments)) for call in read] == calls
    assert left == said
    assert found.read(text[:-2]) == (text[:-2], ())


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(said=st.text("ab\n<té", max_size=8), calls=st.lists(CALLS, max_size=1))
def test_nothing_of_a_call_is_said_as_text_while_it_comes(said, calls):
    found = format_of(Only(templates.TINY))
    text = turn(templates.TINY, said, calls[0]) if calls else said
    decoder = StreamDecoder(Bytes(), (), found.openings)
    pieces = [decoder.take(token) for token in text.encode()]
    left, read = found.read(decoder.rest())
    assert "".join([*pieces, left]) == said
    assert len(read) == (len(calls[0]) if calls else 0)


def test_templates_without_readable_calls_have_no_format():
    for name in (
        "no calls",
        "names of calls",
        "sorted arguments",
        "arguments as XML",
        "raises",
        "breaks",
    ):
        assert format_of(Only(TEMPLATES[name])) is None, name
    assert format_of(Only(templates.TINY)).read("a <tool_call>\n nothing")[1] == ()


FIND = {"name": "find", "description": "Seeks", "parameters": {
    "type": "object", "properties": {"what": {"type": "string"}}}}  # fmt: skip
TOOLS = [{"type": "function", "function": FIND}]


def rows():
    for n in range(12):
        what = ("tea", "milk", "salt")[n % 3]
        function = {"name": "find", "arguments": json.dumps({"what": what})}
        call = {"id": "c1", "type": "function", "function": function}
        answer = {"role": "assistant", "content": None, "tool_calls": [call]}
        if n % 3 == 1:
            answer = {"role": "assistant", "content": None, "function_call": function}
        yield {
            "messages": [{"role": "user", "content": f"Where is {what}?"}, answer],
            "tools": TOOLS,
        }


@needs_trainer
@pytest.mark.slow
@pytest.mark.parametrize("without", [(), ("xllamacpp",)])
@pytest.mark.skipif(sys.executable != TRAINER, reason="the trainer is another Python")
def test_a_base_that_learned_calls_answers_with_them(tmp_path, without):
    server = Server(tmp_path / "state", without)
    server.start()
    client = server.client()
    lines = io.BytesIO("".join(f"{json.dumps(row)}\n" for row in rows()).encode())
    stored = client.files.create(file=("t.jsonl", lines), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model="tiny", training_file=stored.id, seed=3, hyperparameters={"n_epochs": 50}
    )
    done = wait_for(
        lambda: client.fine_tuning.jobs.retrieve(job.id),
        lambda j: j.status in ("succeeded", "failed"),
        300,
    )
    assert done.status == "succeeded", done.error
    asked = {
        "model": done.fine_tuned_model,
        "messages": [{"role": "user", "content": "Where is milk?"}],
        "tools": TOOLS,
        "temperature": 0,
    }
    (choice,) = client.chat.completions.create(**asked).choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    (call,) = choice.message.tool_calls
    assert Call(call.function.name, call.function.arguments) == Call("find", '{"what": "milk"}')
    chunks = [c.choices[0] for c in client.chat.completions.create(**asked, stream=True)]
    assert not any(chunk.delta.content for chunk in chunks)
    assert [chunk.finish_reason for chunk in chunks[-2:]] == [None, "tool_calls"]
    (streamed,) = [c for chunk in chunks for c in chunk.delta.tool_calls or ()]
    assert (streamed.index, streamed.function.arguments) == (0, '{"what": "milk"}')
    # Without tools nothing is a call: what looks like one is text.
    (plain,) = client.chat.completions.create(**{**asked, "tools": None}).choices
    assert plain.message.tool_calls is None
    server.stop()
