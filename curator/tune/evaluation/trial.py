"""A first trial: ask a base and a tuned checkpoint the test questions, and count the right answers.

Two figures for each candidate: exact match (the reply is the demonstrated one, white space at the
ends apart), and label accuracy (the reply is one that was demonstrated for a conversation of the
same label). A reply that was never demonstrated has no label and counts as wrong.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curator.dataset.errors import Cancelled
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.tune.evaluation.prompt_variants import as_asked
from curator.tune.services.client import Connection


@dataclass(frozen=True, slots=True)
class Item:
    """One question: the messages before the last answer, and that answer."""

    conversation: int
    prompt: tuple[Mapping[str, Any], ...]
    expected: str
    tools: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What one candidate scored; label_accuracy is None where no labels were given."""

    candidate: str
    items: int
    exact_match: float
    label_accuracy: float | None
    unparsable: int
    replies: tuple[str, ...]

    def to_row(self) -> dict[str, Any]:
        """Return the figures without the replies."""
        row = asdict(self)
        del row["replies"]
        return row


def read_items(lines: Path, manifest: Path) -> tuple[Item, ...]:
    """Return the questions of an exported file; a conversation that ends without a text answer gives none."""
    items = []
    with (
        lines.open(encoding="utf-8", newline="\n") as records,
        manifest.open(encoding="utf-8") as places,
    ):
        for record, place in zip(records, places, strict=True):
            fields = json.loads(record)
            item = item_of(json.loads(place)["conversation"], fields)
            if item is not None:
                items.append(item)
    return tuple(items)


def item_of(conversation: int, fields: Mapping[str, Any]) -> Item | None:
    """Return the question a conversation asks, or None where its last message is no text answer."""
    messages = fields["messages"]
    last = messages[-1]
    if (
        last.get("role") != "assistant"
        or not isinstance(last.get("content"), str)
        or len(messages) < 2
    ):
        return None
    prompt = tuple({k: v for k, v in message.items() if k != "weight"} for message in messages[:-1])
    return Item(conversation, prompt, last["content"], tuple(fields.get("tools") or ()))


def labels_of_replies(items: Sequence[Item], labels: Mapping[int, str]) -> dict[str, str]:
    """Return, for every demonstrated reply, the label most of its conversations have."""
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        if item.conversation in labels:
            votes[item.expected.strip()][labels[item.conversation]] += 1
    return {reply: count.most_common(1)[0][0] for reply, count in votes.items()}


def try_candidate(
    connection: Connection,
    candidate: str,
    items: Sequence[Item],
    *,
    labels: Mapping[int, str],
    known_replies: Mapping[str, str],
    progress: ProgressCall,
    cancelled: CancelledCall,
    max_tokens: int = 200,
) -> Result:
    """Ask one candidate every question at temperature 0 and score its replies."""
    replies: list[str] = []
    for done, item in enumerate(items):
        if cancelled():
            raise Cancelled("The comparison was stopped.")
        progress(done, len(items), candidate)
        replies.append(_reply(connection, candidate, item, max_tokens))
    progress(len(items), len(items), candidate)
    return score(candidate, items, replies, labels=labels, known_replies=known_replies)


def _reply(connection: Connection, candidate: str, item: Item, max_tokens: int) -> str:
    from openai.types.chat import ChatCompletion

    name, messages = as_asked(candidate, item.prompt)

    def ask(client: Any) -> object:
        more = {"tools": list(item.tools)} if item.tools else {}
        return client.chat.completions.create(
            model=name,
            messages=list(messages),
            temperature=0,
            max_completion_tokens=max_tokens,
            **more,
        )

    answer = connection.call(ChatCompletion, "reply", ask, retries=2)
    if not answer.choices:
        raise connection.not_compatible("reply", answer)
    return answer.choices[0].message.content or ""


def score(
    candidate: str,
    items: Sequence[Item],
    replies: Sequence[str],
    *,
    labels: Mapping[int, str],
    known_replies: Mapping[str, str],
) -> Result:
    """Count exact replies and, over the items that have a label, replies of the right label."""
    pairs = list(zip(items, replies, strict=True))
    exact = sum(reply.strip() == item.expected.strip() for item, reply in pairs)
    labelled = [
        (labels[i.conversation], known_replies.get(r.strip()))
        for i, r in pairs
        if i.conversation in labels
    ]
    right = sum(label == found for label, found in labelled)
    return Result(
        candidate,
        len(items),
        exact / len(items) if items else 0.0,
        right / len(labelled) if labelled else None,
        sum(found is None for _, found in labelled),
        tuple(replies),
    )
