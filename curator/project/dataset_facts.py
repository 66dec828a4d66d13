"""The columns that the rules on the whole dataset read, from a project."""

from collections import defaultdict

import numpy as np

from curator.curate.checks.subject import Subject
from curator.curate.dataset_checks import DatasetFacts, Ints
from curator.dataset import Conversation
from curator.dataset.codes import DEFAULT_RULES_PROFILE, HAS_PARTS, HAS_TOOLS
from curator.dataset.json_values import canonical
from curator.project.duplicate_tables import kept
from curator.project.queries.sameness import read_sameness
from curator.project.store.label_rows import labels_that_count
from curator.project.store.reader import Reader
from curator.project.store.tables import number_table

_NEAR_PAIRS = 1_000
_COLUMNS = ("id", "system_hash", "trained_tokens", "flags", "ifnull(split, 0)")


def dataset_facts(reader: Reader) -> DatasetFacts:
    """Read the columns of all conversations that are not removed."""
    with reader.snapshot():
        table = number_table(reader, _COLUMNS)
        ids = table[:, 0]
        flags = table[:, 3]
        tools, with_images = _read_special(reader, ids[(flags & (HAS_TOOLS | HAS_PARTS)) != 0])
        return DatasetFacts(
            ids=ids,
            same=read_sameness(reader, ids),
            system_hash=table[:, 1],
            trained_tokens=table[:, 2],
            split=table[:, 4],
            has_images=np.isin(ids, np.fromiter(with_images, np.int64)),
            labels=_labels(reader, ids),
            near=_near(reader),
            tools=tools,
        )


def tool_uses(conversation: Conversation) -> list[tuple[str, str]]:
    """Return name and canonical form of each tool definition of a conversation."""
    subject = Subject(conversation, DEFAULT_RULES_PROFILE)
    return [(d.name, canonical(d.parameters)) for d in subject.definitions]


def has_images(conversation: Conversation) -> bool:
    """Say whether a conversation shows an image."""
    return any(p.get("type") == "image_url" for m in conversation.messages for p in m.parts)


def _read_special(reader: Reader, ids: Ints) -> tuple[dict[str, list[tuple[int, ...]]], list[int]]:
    """Read the conversations with tools or parts: uses of each tool definition, and who has images."""
    uses: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    with_images: list[int] = []
    for id_, text in reader.iterate(ids.tolist()):
        conversation = Conversation.parse(text)
        for name, definition in tool_uses(conversation):
            uses[name][definition].append(id_)
        if has_images(conversation):
            with_images.append(id_)
    tools = {name: [tuple(users) for users in forms.values()] for name, forms in uses.items()}
    return tools, with_images


def _labels(reader: Reader, ids: Ints) -> dict[str, list[str]]:
    """Return for each label set each row's answer, the one that counts."""
    places = {id_: row for row, id_ in enumerate(ids.tolist())}
    columns: dict[str, list[str]] = {}
    for id_, label_set, value in labels_that_count(reader):
        if id_ in places:
            columns.setdefault(label_set, [""] * len(ids))[places[id_]] = value
    return columns


def _near(reader: Reader) -> list[tuple[int, int, float]]:
    """Return the nearest pairs of the last search for duplicates, exact copies left out."""
    found = kept(reader)
    if found is None:
        return []
    links = found.matches.links
    order = np.argsort(-links.similarity, kind="stable")
    order = order[links.similarity[order] < 1][:_NEAR_PAIRS]
    first, second = found.ids[links.first[order]], found.ids[links.second[order]]
    return list(zip(first.tolist(), second.tolist(), links.similarity[order].tolist(), strict=True))
