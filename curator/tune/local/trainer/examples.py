"""From one line of a training file to what the loss reads: a conversation, plain text, or a preference.

Plain text (continued pre-training) trains every token: a line with one message, or with ``text``,
is that bare text and an end token; a line with several messages is rendered by the base's template.
A longer text becomes several samples instead of being cut.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from curator.dataset.record import Kind, Record
from curator.tune.local.options import TrainingOptions
from curator.tune.local.trainer.encoding import (
    MASKED,
    Sample,
    TemplateRefused,
    encode_conversation,
    encode_whole,
)
from curator.tune.local.trainer.token_ids import end_ids, plain_ids, require_whole


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

    @property
    def lost(self) -> int:
        """How many tokens were cut off both answers."""
        return self.preferred.lost + self.other.lost


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
    """Return a line's whole text as samples of at most max_tokens, every token of it trained."""
    text = Record.of(record).text
    end = tokenizer.eos_token_id
    if text is None:
        ids = encode_whole(tokenizer, record)
        ids = ids if end_ids(tokenizer).intersection(ids) else [*ids, end]
    else:
        if not text.strip():
            raise TemplateRefused("it has no text to learn from")
        ids = plain_ids(tokenizer, text)
        require_whole(tokenizer, ids, text)
        # Between two texts stands what ends one; after it the first token can be guessed as well.
        ids = [end, *ids, end]
    # The first token of a sample is given, never guessed: it is the last one of the sample before.
    pieces = [tuple(ids[at : at + max_tokens]) for at in range(0, len(ids) - 1, max_tokens - 1)]
    return tuple(Sample(piece, (MASKED, *piece[1:])) for piece in pieces)


def encode_pair(tokenizer: Any, record: Mapping[str, Any], max_tokens: int) -> Pair:
    """Return a preference as a pair of the samples of its answers."""
    found = [
        encode_conversation(tokenizer, answered.fields, max_tokens)
        for answered in Record.of(record, Kind.PREFERENCE).trained
    ]
    for which, samples in zip(("preferred", "other"), found, strict=True):
        if len(samples) != 1:
            raise TemplateRefused(
                f"its {which} output must hold one answer that this base's template can follow"
            )
    (preferred,), (other,) = found
    if preferred == other:
        raise TemplateRefused("both answers are the same, so nothing is preferred")
    return Pair(preferred, other)
