"""From one line of a training file to what the loss reads: a conversation, plain text, or a preference.

Plain text (continued pre-training) trains every token: a line with one message, or with ``text``,
is that bare text and an end token; a line with several messages is rendered by the base's template.
A longer text becomes several samples instead of being cut.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from curator.tune.local.encoding import Sample, TemplateRefused, encode_conversation, encode_whole
from curator.tune.local.options import TrainingOptions


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to the same prompt, of which the first is preferred."""

    preferred: Sample
    other: Sample

    @property
    def trained(self) -> int:
        """How much the pair counts in the loss: every pair the same."""
        return 1

    @property
    def length(self) -> int:
        """How many tokens are read."""
        return self.preferred.length + self.other.length

    @property
    def longest(self) -> int:
        """How many tokens one row of a batch needs for it."""
        return max(self.preferred.length, self.other.length)


Example = Sample | Pair
Encoder = Callable[[Mapping[str, Any]], tuple[Example, ...]]


def encoder(tokenizer: Any, options: TrainingOptions) -> Encoder:
    """Return the function that turns a line into examples for the options' objective."""
    if options.objective == "text":
        return lambda record: encode_text(tokenizer, record, options.max_tokens)
    if options.objective == "preference":
        return lambda record: (encode_pair(tokenizer, record, options.max_tokens),)
    return lambda record: encode_conversation(tokenizer, record, options.max_tokens)


def encode_text(tokenizer: Any, record: Mapping[str, Any], max_tokens: int) -> tuple[Sample, ...]:
    """Return a line's whole text as samples of at most max_tokens, every token trained."""
    messages = record["messages"] if "messages" in record else [{"content": record["text"]}]
    if len(messages) == 1 and isinstance(messages[0].get("content"), str):
        text = messages[0]["content"]
        ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        ids = [*ids, tokenizer.eos_token_id] if ids else []
    else:
        ids = encode_whole(tokenizer, messages, record.get("tools"))
    pieces = [tuple(ids[at : at + max_tokens]) for at in range(0, len(ids), max_tokens)]
    # The first token of a piece is given, never guessed: a piece of one teaches nothing.
    samples = tuple(Sample(piece, piece) for piece in pieces if len(piece) > 1)
    if not samples:
        raise TemplateRefused("it has no text to learn from")
    return samples


def encode_pair(tokenizer: Any, record: Mapping[str, Any], max_tokens: int) -> Pair:
    """Return a preference line (input, preferred_output, non_preferred_output) as a pair."""
    preferred = _answer(tokenizer, record, "preferred_output", max_tokens)
    other = _answer(tokenizer, record, "non_preferred_output", max_tokens)
    if preferred == other:
        raise TemplateRefused("both answers are the same, so nothing is preferred")
    return Pair(preferred, other)


def _answer(tokenizer: Any, record: Mapping[str, Any], name: str, max_tokens: int) -> Sample:
    given = record["input"]
    before = [{**message, "weight": 0} for message in given["messages"]]
    after = [{**message, "weight": 1} for message in record[name]]
    samples = encode_conversation(
        tokenizer, {"messages": before + after, "tools": given.get("tools")}, max_tokens
    )
    if len(samples) != 1:
        raise TemplateRefused(f"{name} must hold one answer that this base's template can follow")
    return samples[0]
