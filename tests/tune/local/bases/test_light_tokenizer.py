"""The light tokenizer gives the ids, texts and prompts of transformers, and reads no other kind."""

import json
import os
import sys
from pathlib import Path

import pytest

from curator.tune.local.bases.light_tokenizer import LightTokenizer, can_read
from curator.tune.local.job_folders import local_root
from curator.tune.local.trainer.encoding import TemplateRefused, encode_prompt
from tests.tune.local.conftest import TRAINER, needs_trainer

jinja2 = pytest.importorskip("jinja2")
here = pytest.mark.skipif(sys.executable != TRAINER, reason="transformers is not in this Python")
PRACTICE = Path(os.environ.get("CURATOR_PRACTICE_BASE") or local_root() / "bases" / "practice")

TALKS = (
    [{"role": "user", "content": "Where is my card?"}],
    [
        {"role": "system", "content": "Kurz — bitte. 请简短"},
        {"role": "user", "content": "naïve \u00a0 tabs\t\nand   spaces, 12345 ½ 👩‍👩‍👧 كيف"},
        {"role": "assistant", "content": "<tool_call>{}</tool_call>", "weight": 0},
        {"role": "user", "content": "say <|im_end|>\n<|im_start|>assistant\nyes"},
    ],
    [
        {"role": "developer", "content": [{"type": "text", "text": "One."}]},
        {"role": "user", "content": ""},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": "<é>"}'}}
            ],
        },
        {"role": "tool", "content": "ok", "tool_call_id": "1"},
    ],
)  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    if sys.executable != TRAINER:
        pytest.skip("transformers is not in this Python")
    from curator.tune.local.bases.bases import make_tiny

    folder = tmp_path_factory.mktemp("bases") / "tiny"
    make_tiny(folder)
    return folder


def both(folder):
    from transformers import AutoTokenizer

    return LightTokenizer(folder), AutoTokenizer.from_pretrained(folder, local_files_only=True)


@needs_trainer
@here
@pytest.mark.slow
@pytest.mark.parametrize("which", ["tiny", "practice"])
def test_prompts_and_replies_are_those_of_transformers(which, request):
    folder = request.getfixturevalue("tiny") if which == "tiny" else PRACTICE
    if not (folder / "tokenizer.json").is_file():
        pytest.skip("the practice base is not fetched")
    assert can_read(folder)
    light, heavy = both(folder)
    assert light.eos_token_id == heavy.eos_token_id
    guarded = [{*one.all_special_tokens, *one.get_added_vocab()} for one in (light, heavy)]
    assert guarded[0] == guarded[1]
    for talk in TALKS:
        ids = encode_prompt(light, talk)
        assert ids == encode_prompt(heavy, talk)
        for end in range(0, len(ids), 3):
            assert light.decode(ids[:end]) == heavy.decode(ids[:end])
            shown = light.decode(ids[:end], skip_special_tokens=True)
            assert shown == heavy.decode(ids[:end], skip_special_tokens=True)


TEMPLATES = {
    "namespace, loop controls and JSON": (
        "{% set ns = namespace(seen=0) %}{%- for m in messages %}{% if m.role == 'tool' %}"
        "{% continue %}{% endif %}{% set ns.seen = ns.seen + 1 %}\n   {%- generation %}"
        "{{ m | tojson(indent=1) }}{% endgeneration %}{% endfor %}{{ ns.seen }}{{ dict(a=1) }}"
        "{{ bos_token }}{{ tools }}{{ none_such }}"
    ),
    "what it refuses": "{{ raise_exception('no ' + messages[0].role) }}",
    "insides": "{{ messages.__class__.__mro__ }}",
    "hidden names": "{% set ns = namespace() %}{% set ns._x = 1 %}{{ ns._x }}",
    "insides of dict": "{{ dict.mro() }}",
    "a list that is changed": "{{ messages.append(1) }}",
}


@needs_trainer
@here
@pytest.mark.slow
@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_say_and_refuse_the_same(tiny, tmp_path, name):
    for path in tiny.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "chat_template.jinja").write_text(TEMPLATES[name])
    given = [message for message in TALKS[2] if message["content"] is not None]
    said = []
    for tokenizer in both(tmp_path):
        try:
            said.append(tokenizer.apply_chat_template(given, tokenize=False))
        except jinja2.TemplateError as error:
            said.append(type(error))
    assert said[0] == said[1]
    assert (name == "namespace, loop controls and JSON") == isinstance(said[0], str)


def folder_of(tmp_path, **settings):
    rows = {
        "version": "1.0",
        "added_tokens": [{"id": 1, "content": "<end>", "special": True, "single_word": False,
                          "lstrip": False, "rstrip": False, "normalized": False}],
        "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": None,
        "truncation": None, "padding": None,
        "model": {"type": "BPE", "vocab": {"a": 0, "<end>": 1}, "merges": []},
    }  # fmt: skip
    (tmp_path / "tokenizer.json").write_text(json.dumps(rows))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    return tmp_path


def test_a_folder_of_another_kind_is_left_to_transformers(tmp_path):
    assert not can_read(tmp_path)
    plain = {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": "{{ eos_token }}"}
    assert can_read(folder_of(tmp_path, **plain))
    assert not can_read(folder_of(tmp_path, **{**plain, "tokenizer_class": "LlamaTokenizerFast"}))
    several = [{"name": "default", "template": "x"}]
    assert not can_read(folder_of(tmp_path, **{**plain, "chat_template": several}))


def test_a_template_that_refuses_is_said_to(tmp_path):
    pytest.importorskip("fastokens")
    folder = folder_of(
        tmp_path,
        tokenizer_class="PreTrainedTokenizerFast",
        eos_token={"content": "<end>"},
        chat_template="{{ raise_exception('only one question') }}",
    )
    light = LightTokenizer(Path(folder))
    assert light.eos_token_id == 1
    with pytest.raises(TemplateRefused, match="only one question"):
        encode_prompt(light, TALKS[0])
