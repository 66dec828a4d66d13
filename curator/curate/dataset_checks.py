"""The rules D and others that look at all conversations together; they read columns, not texts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from curator.curate.analysis.identity import NO_PROMPT, Sameness
from curator.curate.checks import finding
from curator.curate.splits import leaks
from curator.dataset.codes import DEFAULT_RULES_PROFILE, SPLITS
from curator.dataset.finding import Finding
from curator.dataset.rule import load_rules

Ints = npt.NDArray[np.int64]

_MANY_PROMPTS: Final = 20
_FEW_ANSWERS: Final = 8


class DatasetFinding(NamedTuple):
    """A finding on several conversations: it names the rule, they are the ones to look at."""

    finding: Finding
    conversations: tuple[int, ...] = ()


@dataclass(frozen=True)
class DatasetFacts:
    """The columns of the conversations that count (removed ones left out), all of one length.

    split holds codes; labels has for each label set the answer of each row (empty
    where there is none); near has pairs of ids and their similarity; tools has for each tool name
    the ids that use each of its definitions.
    """

    ids: Ints
    same: Sameness
    system_hash: Ints
    trained_tokens: npt.NDArray[Any]
    split: npt.NDArray[Any]
    has_images: npt.NDArray[np.bool_]
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    near: Sequence[tuple[int, int, float]] = ()
    tools: Mapping[str, Sequence[tuple[int, ...]]] = field(default_factory=dict)


def check_dataset(
    facts: DatasetFacts, profile: str = DEFAULT_RULES_PROFILE
) -> tuple[DatasetFinding, ...]:
    """Return what the rules find in the conversations taken together."""
    rules = load_rules()
    return tuple(
        found
        for rule_id, find in DATASET_CHECKS
        if rules[rule_id].severity_for(profile) is not None
        for found in find(facts, profile)
    )


def _too_few(facts: DatasetFacts, profile: str) -> Iterator[DatasetFinding]:
    limit = load_rules()["D01"].limit_for(profile)
    if len(facts.ids) < limit:
        yield DatasetFinding(finding("D01", profile, count=len(facts.ids), limit=limit))


def _few(facts: DatasetFacts, profile: str) -> Iterator[DatasetFinding]:
    rules = load_rules()
    least, limit = rules["D01"].limit_for(profile), rules["D02"].limit_for(profile)
    if least <= len(facts.ids) < limit:
        yield DatasetFinding(finding("D02", profile, count=len(facts.ids), limit=limit))


def _copies(facts: DatasetFacts, profile: str) -> Iterator[DatasetFinding]:
    for rows in _groups(facts.same.content_hash, np.ones(len(facts.ids), np.bool_)):
        first, *copies = facts.ids[rows].tolist()
        found = finding("D03", profile, count=len(copies), other=first)
        yield DatasetFinding(found, tuple(copies))


def _near_copies(facts: DatasetFacts, profile: str) -> Iterator[DatasetFinding]:
    for first, second, similarity in facts.near:
        percent = int(similarity * 100)
        found = finding("D04", profile, id=second, similarity=percent, other=first)
        yield DatasetFinding(found, (second,))


def _leaks(facts: DatasetFacts, profile: str) -> Iterator[DatasetFinding]:
    for rows in leaks(facts.same, facts.split.astype(np.int64)):
        splits = sorted(set(facts.split[rows].tolist()))
        names = " and ".join(SPLITS[code] for code in splits)
        found = finding("D05", profile, splits=names, count=len(rows))
        yield DatasetFinding(found, tuple(facts.ids[rows].tolist()))


def _contradictions(facts: DatasetFacts, profile: str) -> Iterator[DatasetFinding]:
    prompts, answers = facts.same.prompt_hash, facts.same.beginnings.whole
    for rows in _groups(prompts, (prompts != NO_PROMPT) & (answers != 0)):
        if len(np.unique(answers[rows])) > 1:
            ids = tuple(facts.ids[rows].tolist())
            yield DatasetFinding(finding("D06", profile, count=len(ids)), ids)


def _system_prompts(facts: DatasetFacts, profile: str) -> Iterator[DatasetFinding]:
    some = facts.system_hash[facts.system_hash != 0]
    prompts, counts = np.unique(some, return_counts=True)
    if len(prompts) < 2:
        return
    share = counts.max() / len(some)
    if len(prompts) > _MANY_PROMPTS and share < 0.5:
        # A prompt of its own for nearly every conversation is meant so.
        return
    others = (facts.system_hash != 0) & (facts.system_hash != prompts[counts.argmax()])
    found = finding("D07", profile, count=len(prompts), percent=int(share * 100))
    yield DatasetFinding(found, tuple(facts.ids[others].tolist()))


def _no_system_message(facts: DatasetFacts, profile: str) -> Iterator[DatasetFinding]:
    bare = facts.system_hash == 0
    if bare.any() and not bare.all():
        ids = tuple(facts.ids[bare].tolist())
        found = finding("S15", profile, count=len(ids), total=len(facts.ids))
        yield DatasetFinding(found, ids)


def _rare_labels(facts: DatasetFacts, profile: str) -> Iterator[DatasetFinding]:
    percent = load_rules()["D09"].limit_for(profile)
    for label_set, answers in facts.labels.items():
        column = np.asarray(answers, dtype=object)
        given = column != ""
        if not given.any():
            continue
        values, counts = np.unique(column[given].astype(str), return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            if count * 100 < percent * int(given.sum()):
                share = f"{count * 100 / given.sum():.1f}"
                found = finding(
                    "D09", profile, label=value, label_set=label_set, count=count, percent=share
                )
                yield DatasetFinding(found, tuple(facts.ids[column == value].tolist()))


def _tool_definitions(facts: DatasetFacts, profile: str) -> Iterator[DatasetFinding]:
    for name, uses in facts.tools.items():
        if len(uses) > 1:
            rarer = sorted(uses, key=len)[:-1]
            ids = tuple(sorted({id_ for use in rarer for id_ in use}))
            yield DatasetFinding(finding("T07", profile, name=name, count=len(uses)), ids)


def _images(facts: DatasetFacts, profile: str) -> Iterator[DatasetFinding]:
    if facts.has_images.any():
        ids = tuple(facts.ids[facts.has_images].tolist())
        yield DatasetFinding(finding("V06", profile, count=len(ids)), ids)


def _long_answers(facts: DatasetFacts, profile: str) -> Iterator[DatasetFinding]:
    trained = facts.trained_tokens[facts.trained_tokens > 0]
    if len(trained) < _FEW_ANSWERS:
        return
    ratio = load_rules()["L04"].limit_for(profile)
    long = facts.trained_tokens > np.median(trained) * ratio
    if long.any():
        ids = tuple(facts.ids[long].tolist())
        yield DatasetFinding(finding("L04", profile, count=len(ids), ratio=ratio), ids)


def _groups(values: Ints, use: npt.NDArray[np.bool_]) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the rows of each value that stands twice or more, in the order of their first rows."""
    rows = np.flatnonzero(use)
    order = rows[np.argsort(values[rows], kind="stable")]
    if len(order) < 2:
        return
    edges = np.flatnonzero(np.diff(values[order])) + 1
    bounds = np.concatenate([[0], edges, [len(order)]])
    several = np.flatnonzero(np.diff(bounds) > 1)
    for at in several[np.argsort(order[bounds[several]])].tolist():
        yield order[bounds[at] : bounds[at + 1]]


DatasetCheck = Callable[[DatasetFacts, str], Iterator[DatasetFinding]]

DATASET_CHECKS: Final[tuple[tuple[str, DatasetCheck], ...]] = (
    ("D01", _too_few),
    ("D02", _few),
    ("D03", _copies),
    ("D04", _near_copies),
    ("D05", _leaks),
    ("D06", _contradictions),
    ("D07", _system_prompts),
    ("D09", _rare_labels),
    ("S15", _no_system_message),
    ("T07", _tool_definitions),
    ("V06", _images),
    ("L04", _long_answers),
)
