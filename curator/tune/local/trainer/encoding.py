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
from curator.tune.local.trainer.rendering import Script
from curator.tune.local.trainer.template_messages import TemplateRefused as TemplateRefused
from curator.tune.local.trainer.template_messages import is_trained, talk_of
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
    talk = talk_of(record)
    trained = [n for n, message in enumerate(record["messages"]) if is_trained(message)]
    if not trained:
        raise TemplateRefused("it has no assistant message to learn from")
    script = Script(tokenizer, talk)
    require_no_control(tokenizer, script.unmarked)
    for index in trained:
        _require_text(script, index)
    turns = _turns(script, talk.messages)
    learned = [_continuing(script, turns.get(index), index) for index in trained]
    count = len(talk.messages)
    whole = script.marked(count, prompt=False)
    if all(whole.startswith(turn.after) for turn in learned):
        parts = [(count, learned)]
    else:
        parts = [(turn.index + 1, [turn]) for turn in learned]
    samples: list[Sample] = []
    found: frozenset[int] = frozenset()
    for length, chosen in parts:
        written = script.written(length, prompt=False)
        found |= written.leaves()
        # Only what an assistant said may be dropped later, and has been in an earlier sample.
        before = {
            n for n, message in enumerate(talk.messages[:length]) if message["role"] != "assistant"
        }
        script.require(written.leaves(), script.of_messages(before))
        cut = _cut_places(script, turns.values(), script.marked(length, prompt=False))
        samples.append(_sample(tokenizer, script, written, cut, chosen))
    script.require(found)
    script.require_atoms()
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
    talk = talk_of({"messages": list(messages), "tools": tools})
    script = Script(tokenizer, talk)
    require_no_control(tokenizer, script.unmarked)
    count = len(talk.messages)
    written = script.written(count, prompt=True)
    others = {n for n, message in enumerate(talk.messages) if message["role"] != "assistant"}
    script.require(written.leaves(), script.of_messages(others))
    turns = _turns(script, talk.messages).values()
    cuts = _cut_places(script, turns, script.marked(count, prompt=True))
    return [token for piece in _pieces(tokenizer, written, cuts) for token in piece.ids]


def encode_whole(tokenizer: Any, record: Mapping[str, Any]) -> list[int]:
    """Return the ids of a whole conversation as the template writes it, nothing marked as an answer.

    Raises TemplateRefused where the template leaves something out.
    """
    talk = talk_of(record)
    script = Script(tokenizer, talk)
    require_no_control(tokenizer, script.unmarked)
    written = script.written(len(talk.messages), prompt=False)
    script.require(written.leaves())
    script.require_atoms()
    ids = [token for piece in _pieces(tokenizer, written, ()) for token in piece.ids]
    require_whole(tokenizer, ids, written.text)
    return ids


def _require_text(script: Script, index: int) -> None:
    """Raise TemplateRefused where a turn that is to be learned has nothing that can be seen."""
    texts = [script.leaves[number].text for number in script.of_message(index)]
    if not any(unicodedata.category(c) not in _INVISIBLE for text in texts for c in text):
        raise TemplateRefused(f"message {index + 1} has no text to learn")


def _turns(script: Script, messages: Sequence[Mapping[str, Any]]) -> dict[int, _Turn]:
    """Return the assistant turns that can be rendered apart from what follows them."""
    found = {}
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        try:
            before = script.marked(index, prompt=True)
            found[index] = _Turn(index, before, script.marked(index + 1, prompt=False))
        except TemplateRefused:
            continue  # no border to keep; one that is to be learned is refused by _continuing
    return found


def _continuing(script: Script, turn: _Turn | None, index: int) -> _Turn:
    """Return a turn to learn; raises TemplateRefused where its prompt is not what stands before it."""
    if turn is None:
        script.marked(index, prompt=True)
        script.marked(index + 1, prompt=False)
        raise AssertionError("it was refused a moment ago")
    if not turn.after.startswith(turn.before):
        raise TemplateRefused(
            f"the base's chat template does not continue its own prompt with message {index + 1}"
        )
    return turn


def _cut_places(script: Script, turns: Iterable[_Turn], marked: str) -> set[int]:
    """Return where assistant turns begin and end in a rendering: there no token reaches across."""
    borders = {text for turn in turns for text in (turn.before, turn.after)}
    return {script.length_of(border) for border in borders if marked.startswith(border)}


def _pieces(tokenizer: Any, written: Written, cuts: Iterable[int]) -> list[Piece]:
    return pieces(tokenizer, written.text, [(low, high) for low, high, _ in written.spans], cuts)


def _sample(
    tokenizer: Any,
    script: Script,
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
        low, high = script.length_of(turn.before), script.length_of(turn.after)
        own = script.of_message(turn.index)
        script.require(written.leaves(low, high), own)
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
