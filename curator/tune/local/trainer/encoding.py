"""From a conversation to token ids and a loss mask, by the base's own chat template.

What an assistant turn adds after the generation prompt is trained up to the token that ends the turn;
the rest is masked. A conversation is refused where the base would read less than it holds, where a
trained turn would not be learned whole, and where nothing would end it. Control tokens that somebody
wrote anywhere in it stay plain text. The tokens of a prompt are the same in training and in replies.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from curator.dataset.counted import counted
from curator.tune.local.trainer.marks import Written
from curator.tune.local.trainer.rendering import Rendering
from curator.tune.local.trainer.template_messages import TemplateRefused as TemplateRefused
from curator.tune.local.trainer.template_messages import is_trained, template_input
from curator.tune.local.trainer.token_ids import (
    Piece,
    end_ids,
    pieces,
    require_no_control,
    require_whole,
    squeezed,
)

MASKED: Final = -100
"""The label of a token the loss leaves out (PyTorch's ignore_index)."""

_INVISIBLE: Final = frozenset(("Cc", "Cf", "Cs", "Zs", "Zl", "Zp"))


@dataclass(frozen=True, slots=True)
class Sample:
    """One training sequence: token ids, and per position the id to learn or MASKED.

    lost is how many tokens it had beyond the limit it was cut to.
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    lost: int = 0

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


@dataclass(frozen=True, slots=True)
class _Turn:
    """An assistant turn in a marked rendering: what stands before it, and the same with it."""

    index: int
    before: str
    after: str


def encode_conversation(
    tokenizer: Any, record: Mapping[str, Any], max_tokens: int
) -> tuple[Sample, ...]:
    """Return the samples of one conversation, cut to max_tokens.

    One sample where the template renders a longer conversation as a continuation of a shorter one;
    one per trained turn where it does not (templates that drop earlier thoughts). Raises
    TemplateRefused where the base would not read or learn all of it, or nothing is left to train.
    """
    inputs = template_input(record)
    trained = [n for n, message in enumerate(record["messages"]) if is_trained(message)]
    if not trained:
        raise TemplateRefused("it has no assistant message to learn from")
    rendering = Rendering(tokenizer, inputs)
    require_no_control(tokenizer, rendering.unmarked)
    for index in trained:
        _require_text(rendering, index)
    turns = _turns(rendering, inputs.messages)
    learned = [_continuing(rendering, turns.get(index), index) for index in trained]
    count = len(inputs.messages)
    whole = rendering.marked(count, prompt=False)
    if all(whole.startswith(turn.after) for turn in learned):
        parts = [(count, learned)]
    else:
        parts = [(turn.index + 1, [turn]) for turn in learned]
    samples: list[Sample] = []
    found: frozenset[int] = frozenset()
    for length, chosen in parts:
        written = rendering.written(length, prompt=False)
        found |= written.leaves()
        # Only what an assistant said may be dropped later, and has been in an earlier sample.
        before = {
            n
            for n, message in enumerate(inputs.messages[:length])
            if message["role"] != "assistant"
        }
        rendering.require(written.leaves(), rendering.of_messages(before))
        cut = _cut_places(rendering, turns.values(), rendering.marked(length, prompt=False))
        samples.append(_sample(tokenizer, rendering, written, cut, chosen))
    rendering.require(found)
    rendering.require_atoms()
    kept = tuple(s for s in (_cut(sample, max_tokens) for sample in samples) if s.trained)
    if not kept:
        raise TemplateRefused(f"its answers lie beyond the limit of {counted(max_tokens, 'token')}")
    return kept


def encode_prompt(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Sequence[Any] | None = None
) -> list[int]:
    """Return the ids a reply is generated from; control tokens inside messages stay plain text.

    Raises TemplateRefused where the template leaves something out, except of what an assistant said:
    templates may drop earlier thoughts.
    """
    inputs = template_input({"messages": list(messages), "tools": tools})
    rendering = Rendering(tokenizer, inputs)
    require_no_control(tokenizer, rendering.unmarked)
    count = len(inputs.messages)
    written = rendering.written(count, prompt=True)
    others = {n for n, message in enumerate(inputs.messages) if message["role"] != "assistant"}
    rendering.require(written.leaves(), rendering.of_messages(others))
    turns = _turns(rendering, inputs.messages).values()
    cuts = _cut_places(rendering, turns, rendering.marked(count, prompt=True))
    return [token for piece in _pieces(tokenizer, written, cuts) for token in piece.ids]


def encode_whole(tokenizer: Any, record: Mapping[str, Any]) -> list[int]:
    """Return the ids of a whole conversation as the template writes it, nothing marked as an answer.

    Raises TemplateRefused where the template leaves something out.
    """
    inputs = template_input(record)
    rendering = Rendering(tokenizer, inputs)
    require_no_control(tokenizer, rendering.unmarked)
    written = rendering.written(len(inputs.messages), prompt=False)
    rendering.require(written.leaves())
    rendering.require_atoms()
    ids = [token for piece in _pieces(tokenizer, written, ()) for token in piece.ids]
    require_whole(tokenizer, ids, written.text)
    return ids


def _require_text(rendering: Rendering, index: int) -> None:
    """Raise TemplateRefused where a turn that is to be learned has nothing that can be seen."""
    texts = [rendering.leaves[number].text for number in rendering.of_message(index)]
    if not any(unicodedata.category(c) not in _INVISIBLE for text in texts for c in text):
        raise TemplateRefused(f"message {index + 1} has no text to learn")


def _turns(rendering: Rendering, messages: Sequence[Mapping[str, Any]]) -> dict[int, _Turn]:
    """Return the assistant turns that can be rendered apart from what follows them."""
    found = {}
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        try:
            before = rendering.marked(index, prompt=True)
            found[index] = _Turn(index, before, rendering.marked(index + 1, prompt=False))
        except TemplateRefused:
            continue  # no border to keep; one that is to be learned is refused by _continuing
    return found


def _continuing(rendering: Rendering, turn: _Turn | None, index: int) -> _Turn:
    """Return a turn to learn; raises TemplateRefused where its prompt is not what stands before it."""
    if turn is None:
        rendering.marked(index, prompt=True)
        rendering.marked(index + 1, prompt=False)
        raise AssertionError("it was refused a moment ago")
    if not turn.after.startswith(turn.before):
        raise TemplateRefused(
            f"the base's chat template does not continue its own prompt with message {index + 1}"
        )
    return turn


def _cut_places(rendering: Rendering, turns: Iterable[_Turn], marked: str) -> set[int]:
    """Return where assistant turns begin and end in a rendering: there no token reaches across."""
    borders = {text for turn in turns for text in (turn.before, turn.after)}
    return {rendering.length_of(border) for border in borders if marked.startswith(border)}


def _pieces(tokenizer: Any, written: Written, cuts: Iterable[int]) -> list[Piece]:
    return pieces(tokenizer, written.text, [(low, high) for low, high, _ in written.spans], cuts)


def _sample(
    tokenizer: Any,
    rendering: Rendering,
    written: Written,
    cuts: Iterable[int],
    chosen: Sequence[_Turn],
) -> Sample:
    """Encode a rendering and label the chosen turns, each proved to be learned whole."""
    found = _pieces(tokenizer, written, cuts)
    ids = [token for piece in found for token in piece.ids]
    require_whole(tokenizer, ids, written.text)
    labels = [MASKED] * len(ids)
    for turn in chosen:
        low, high = rendering.length_of(turn.before), rendering.length_of(turn.after)
        own = rendering.of_message(turn.index)
        rendering.require(written.leaves(low, high), own)
        start = sum(len(piece.ids) for piece in found if piece.end <= low)
        said = [token for piece in found if low <= piece.start < high for token in piece.ids]
        text = written.text[low : written.end_of(own, low, high)]
        learned = _until_end(tokenizer, said, text, turn.index)
        labels[start : start + len(learned)] = learned
    return Sample(tuple(ids), tuple(labels))


def _until_end(tokenizer: Any, said: Sequence[int], text: str, index: int) -> list[int]:
    """Return the tokens of a turn up to the one that ends it, after all of its own text."""
    ends = end_ids(tokenizer)
    needed = squeezed(text)
    for place, token in enumerate(said):
        if token in ends and squeezed(tokenizer.decode(list(said[:place]))).startswith(needed):
            # What a template writes after the end of a turn (a line break) is not the answer's.
            return list(said[: place + 1])
    raise TemplateRefused(
        f"the base's chat template ends message {index + 1} with no end token, so the base would "
        "never learn to stop"
    )


def _cut(sample: Sample, max_tokens: int) -> Sample:
    lost = max(0, len(sample.ids) - max_tokens)
    return replace(
        sample, ids=sample.ids[:max_tokens], labels=sample.labels[:max_tokens], lost=lost
    )
