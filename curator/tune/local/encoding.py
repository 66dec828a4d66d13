"""From a conversation to token ids and a loss mask, by the base's own chat template.

What the model is to learn is found by rendering the conversation turn by turn: the text an assistant
turn adds after the generation prompt is trained, the rest is masked. Special tokens that somebody
wrote inside a message stay plain text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

MASKED: Final = -100
"""The label of a token the loss leaves out (PyTorch's ignore_index)."""


class TemplateRefused(ValueError):
    """The base's chat template cannot render a conversation; the text says why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One training sequence: token ids, and per position the id to learn or MASKED."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def trained(self) -> int:
        """How many tokens the loss counts."""
        return sum(label != MASKED for label in self.labels)

    @property
    def length(self) -> int:
        """How many tokens are read."""
        return len(self.ids)

    @property
    def longest(self) -> int:
        """How many tokens one row of a batch needs for it."""
        return len(self.ids)


def encode_conversation(
    tokenizer: Any, record: Mapping[str, Any], max_tokens: int
) -> tuple[Sample, ...]:
    """Return the samples of one conversation, cut to max_tokens.

    One sample where the template renders a longer conversation as a continuation of a shorter one;
    one per trained turn where it does not (templates that drop earlier thoughts). Raises
    TemplateRefused where the template fails or nothing is left to train.
    """
    messages = [_for_template(message) for message in record["messages"]]
    tools = record.get("tools") or None
    trained = [
        index
        for index, message in enumerate(record["messages"])
        if message.get("role") == "assistant" and message.get("weight") != 0
    ]
    if not trained:
        raise TemplateRefused("it has no assistant message to learn from")
    guarded, originals = _guard(tokenizer, messages)
    spans = {index: _span(tokenizer, guarded, tools, index) for index in trained}
    full = _render(tokenizer, guarded, tools, prompt=False)
    if all(full.startswith(text) for _, text in spans.values()):
        samples = [
            _sample(tokenizer, full, [_range(s) for s in spans.values()], originals, max_tokens)
        ]
    else:
        samples = [
            _sample(tokenizer, text, [_range((prompt, text))], originals, max_tokens)
            for prompt, text in spans.values()
        ]
    kept = tuple(sample for sample in samples if sample.trained)
    if not kept:
        raise TemplateRefused(f"its answers lie beyond the limit of {max_tokens} tokens")
    return kept


def encode_prompt(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Sequence[Any] | None = None
) -> list[int]:
    """Return the ids a reply is generated from; control tokens inside messages stay plain text."""
    return _encode(tokenizer, messages, tools, prompt=True)


def encode_whole(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Sequence[Any] | None = None
) -> list[int]:
    """Return the ids of a whole conversation as the template writes it, nothing marked as an answer."""
    return _encode(tokenizer, messages, tools, prompt=False)


def _encode(
    tokenizer: Any,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Any] | None,
    *,
    prompt: bool,
) -> list[int]:
    guarded, originals = _guard(tokenizer, [_for_template(message) for message in messages])
    text = _render(tokenizer, guarded, tools, prompt=prompt)
    return [token for token, _ in _tokens(tokenizer, text, originals)]


def _for_template(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message as templates expect it: a text content, arguments as objects, no weight."""
    import json

    plain = {key: value for key, value in message.items() if key != "weight"}
    content = plain.get("content")
    if isinstance(content, list):
        plain["content"] = "\n".join(p.get("text", "") for p in content if p.get("type") == "text")
    elif content is None:
        plain["content"] = ""
    if plain.get("role") == "developer":
        plain["role"] = "system"
    calls = []
    for call in plain.get("tool_calls") or ():
        function = dict(call.get("function") or {})
        if isinstance(function.get("arguments"), str):
            try:
                function["arguments"] = json.loads(function["arguments"])
            except ValueError as error:
                raise TemplateRefused(f"a tool call's arguments are not JSON ({error})") from error
        calls.append({**call, "function": function})
    if calls:
        plain["tool_calls"] = calls
    return plain


def _guard(
    tokenizer: Any, messages: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Replace contents that spell a special token by a stand-in, and return what each stands for."""
    special = set(tokenizer.all_special_tokens) | set(tokenizer.get_added_vocab())
    originals: dict[str, str] = {}
    guarded = []
    for index, message in enumerate(messages):
        content = message["content"]
        if any(token in content for token in special):
            stand_in = f"\ue000{index}\ue001"
            originals[stand_in] = content
            message = {**message, "content": stand_in}
        guarded.append(message)
    return guarded, originals


def _render(
    tokenizer: Any,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Any] | None,
    *,
    prompt: bool,
) -> str:
    import jinja2

    try:
        text: str = tokenizer.apply_chat_template(
            list(messages), tools=tools, tokenize=False, add_generation_prompt=prompt
        )
    except (jinja2.TemplateError, TypeError, KeyError, ValueError) as error:
        raise TemplateRefused(f"the base's chat template refuses it: {error}") from error
    return text


def _span(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Sequence[Any] | None, index: int
) -> tuple[str, str]:
    """Return the text before an assistant turn and the text with it."""
    before = _render(tokenizer, messages[:index], tools, prompt=True)
    after = _render(tokenizer, messages[: index + 1], tools, prompt=False)
    if not after.startswith(before):
        raise TemplateRefused("the base's chat template does not continue its own prompt")
    return before, after


def _range(span: tuple[str, str]) -> tuple[int, int]:
    return len(span[0]), len(span[1])


def _tokens(tokenizer: Any, text: str, originals: Mapping[str, str]) -> list[tuple[int, int]]:
    """Return (token id, character offset in text); stand-ins become their text without special tokens."""
    found: list[tuple[int, int]] = []
    position = 0
    while position < len(text):
        starts = [(text.find(mark, position), mark) for mark in originals]
        start, mark = min((s for s in starts if s[0] >= 0), default=(len(text), ""))
        if start > position:
            piece = tokenizer(
                text[position:start], add_special_tokens=False, return_offsets_mapping=True
            )
            found += [
                (token, position + offset)
                for token, (offset, _) in zip(
                    piece["input_ids"], piece["offset_mapping"], strict=True
                )
            ]
        if mark:
            plain = tokenizer(originals[mark], add_special_tokens=False, split_special_tokens=True)
            found += [(token, start) for token in plain["input_ids"]]
        position = start + len(mark)
    return found


def _sample(
    tokenizer: Any,
    text: str,
    ranges: Sequence[tuple[int, int]],
    originals: Mapping[str, str],
    max_tokens: int,
) -> Sample:
    ids: list[int] = []
    labels: list[int] = []
    ended: set[int] = set()
    for token, offset in _tokens(tokenizer, text, originals)[:max_tokens]:
        inside = next((i for i, (low, high) in enumerate(ranges) if low <= offset < high), None)
        ids.append(token)
        # What a template writes after the end of a turn (a line break) is not the answer's.
        labels.append(MASKED if inside is None or inside in ended else token)
        if inside is not None and token == tokenizer.eos_token_id:
            ended.add(inside)
    return Sample(tuple(ids), tuple(labels))
