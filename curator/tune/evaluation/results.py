"""What a run found: figures of every candidate with intervals, the confusion matrix, and comparisons."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from curator.dataset.errors import WrongUse
from curator.dataset.json_values import Json, canonical
from curator.project.store import evaluation_rows as rows
from curator.project.store.evaluation_rows import StoredItem, StoredReply, StoredRun
from curator.project.store.reader import Reader
from curator.project.store.tables import living
from curator.tune.evaluation import text_scores
from curator.tune.evaluation.comparison import Comparison, compare
from curator.tune.evaluation.intervals import Interval, Measured, interval_of, resample, wilson
from curator.tune.evaluation.items import (
    calls_of,
    message_text,
    prompt_hash,
    read_items,
    refusal_of,
)
from curator.tune.evaluation.label_reading import Reading
from curator.tune.evaluation.runs import RunPlan
from curator.tune.evaluation.scores import (
    UNREADABLE,
    Coded,
    Floats,
    encode,
    per_class,
    score_labels,
)

TEXT: Final = "text"
JSON_VALID: Final = "json_valid"
_LISTED: Final = 1_000


@dataclass(frozen=True, slots=True)
class Scoring:
    """What is scored: labels where a reading is given, texts, whether replies are JSON."""

    reading: Reading | None = None
    texts: bool = False
    json_valid: bool = False

    def to_json(self) -> dict[str, Json]:
        """Return it as a run keeps it."""
        reading = None if self.reading is None else self.reading.to_json()
        return {"reading": reading, TEXT: self.texts, JSON_VALID: self.json_valid}

    @classmethod
    def from_json(cls, value: Json) -> "Scoring":
        """Read what to_json gave."""
        reading = value["reading"]
        return cls(
            None if reading is None else Reading.from_json(reading), value[TEXT], value[JSON_VALID]
        )


@dataclass(frozen=True)
class Scored:
    """One candidate on the items of a run: replies in the order of the items, labels, figures.

    label is None for a reply without one that can be read; right says what counts as right: the
    label, or where there are no labels the exact reply.
    """

    name: str
    replies: tuple[StoredReply | None, ...]
    labels: tuple[str | None, ...]
    coded: Coded | None
    values: Mapping[str, Floats]
    right: npt.NDArray[np.bool_]
    figures: Mapping[str, float]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The words of the replies, of a marked refusal too; empty where there are none."""
        return tuple(
            "" if r is None else refusal_of(r.message) or message_text(r.message)
            for r in self.replies
        )

    @property
    def measured(self) -> Measured:
        """What is resampled."""
        values = dict(self.values)
        if self.coded is None:
            values["accuracy"] = self.right.astype(np.float64)
        return Measured(self.coded, values)

    def counts(self) -> dict[str, int]:
        """Return how many replies are unreadable, empty, marked refusals, not given, or cut at the limit.

        failed are questions that the server refused; missing ones were not asked yet.
        """
        there = [r for r in self.replies if r is not None]
        return {
            "unparsable": sum(label is None for label in self.labels) if self.coded else 0,
            "empty": sum(_is_empty(reply) for reply in there),
            "refusals": sum(bool(refusal_of(reply.message)) for reply in there),
            "failed": sum(bool(reply.error) for reply in there),
            "cut": sum(reply.finish_reason == "length" for reply in there),
            "missing": len(self.replies) - len(there),
        }

    def spent(self) -> dict[str, Json]:
        """Return the tokens that a server counted, null where it counts none, and the mean seconds."""
        there = [r for r in self.replies if r is not None]
        found: dict[str, Json] = {}
        for name in ("prompt_tokens", "reply_tokens"):
            known = [n for r in there if (n := getattr(r, name)) is not None]
            found[name] = sum(known) if known else None
            found[f"{name}_each"] = round(sum(known) / len(known), 1) if known else None
        mean = sum(r.milliseconds for r in there) / len(there) / 1000 if there else 0.0
        return found | {"seconds_each": round(mean, 3)}


@dataclass(frozen=True)
class Results:
    """All that a run found; items are in the order of the run."""

    run: StoredRun
    plan: RunPlan
    items: tuple[StoredItem, ...]
    expected: tuple[str | None, ...]
    candidates: tuple[Scored, ...]

    @cached_property
    def resampled(self) -> list[dict[str, Floats]]:
        """Every figure on the same resamples, for each candidate."""
        return resample([each.measured for each in self.candidates], len(self.items))

    def intervals(self, number: int) -> dict[str, Interval]:
        """Return the interval of every figure of a candidate."""
        found = {name: interval_of(values) for name, values in self.resampled[number].items()}
        right = self.candidates[number].right
        # A share has an interval that is honest about few items and about none or all right.
        return found | {"accuracy": wilson(int(right.sum()), len(right))}

    def compare(self, a: int, b: int) -> Comparison:
        """Compare two candidates of this run."""
        one, other = self.candidates[a], self.candidates[b]
        return compare(
            (one.name, other.name),
            (one.right, other.right),
            (one.figures, other.figures),
            (self.resampled[a], self.resampled[b]),
        )

    def comparisons(self) -> tuple[Comparison, ...]:
        """Compare every later candidate with the first one."""
        return tuple(self.compare(0, b) for b in range(1, len(self.candidates)))

    def number_of(self, name: str) -> int:
        """Return the place of a candidate; raises WrongUse where there is none of that name."""
        names = [each.name for each in self.candidates]
        if name not in names:
            raise WrongUse(
                f'The run {self.run.token} has no candidate "{name}": {", ".join(names)}.'
            )
        return names.index(name)

    def candidate_row(self, number: int) -> dict[str, Json]:
        """Return the keys of one candidate."""
        each = self.candidates[number]
        bounds = self.intervals(number)
        row: dict[str, Json] = {**_ALL_FIGURES, **each.figures, **each.counts(), **each.spent()}
        row["intervals"] = {n: {"low": i.low, "high": i.high} for n, i in bounds.items()}
        row["per_class"] = per_class(each.coded) if each.coded else []
        row["confusion"] = _matrix_row(each.coded) if each.coded else None
        row["unreadable"] = self.unreadable(number)
        return row

    def unreadable(self, number: int) -> list[dict[str, Json]]:
        """Return the replies without a label that can be read, the first thousand of them."""
        each = self.candidates[number]
        if each.coded is None:
            return []
        found = (
            {
                "conversation": item.conversation,
                "expected": expected,
                "reply": each.texts[at][:200],
                "error": reply.error if reply else "",
            }
            for at, (item, expected, label, reply) in enumerate(
                zip(self.items, self.expected, each.labels, each.replies, strict=True)
            )
            if label is None
        )
        return [row for row, _ in zip(found, range(_LISTED), strict=False)]


_ALL_FIGURES: Final = dict.fromkeys(
    ("accuracy", "precision_macro", "recall_macro", "f1_macro", "f1_micro", "f1_weighted")
)
"""Keys that every candidate has, null where there are no labels."""


def read_results(reader: Reader, run: StoredRun, scoring: Scoring | None = None) -> Results:
    """Score the replies that a run has; scoring is that of the run where none is given.

    Of a run that is not done only the items count that every candidate has answered.
    """
    plan = RunPlan.from_json(run.plan)
    scoring = scoring or Scoring.from_json(plan.scoring)
    items = rows.items_of(reader, run.id)
    replies = rows.replies_of(reader, run.id)
    if run.state != rows.DONE:
        numbers = range(len(plan.candidates))
        items = tuple(i for i in items if all((n, i.position) in replies for n in numbers))
    expected = _expected(scoring, items)
    scored = tuple(
        _scored(
            candidate.name,
            scoring,
            items,
            expected,
            tuple(replies.get((number, item.position)) for item in items),
        )
        for number, candidate in enumerate(plan.candidates)
    )
    return Results(run, plan, items, expected, scored)


def changed_since(reader: Reader, results: Results) -> int:
    """Return how many questions of a run are no longer what their conversations say, or are gone."""
    wanted = {item.conversation: item for item in results.items}
    there = set(living(reader).tolist())
    now, _ = read_items(reader, [id_ for id_ in wanted if id_ in there])
    same = sum(
        prompt_hash(each.prompt.text) == wanted[each.conversation].prompt
        and each.expected == wanted[each.conversation].expected
        for each in now
    )
    return len(wanted) - int(same)


def pair(one: Results, a: int, other: Results, b: int) -> Results:
    """Return one candidate of each run on the questions that both runs asked, as the results of one run.

    A question is the same where what was read before the answer and the right answer are.
    Raises WrongUse where there is none.
    """
    where = {key: at for at, key in enumerate(_keys(other))}
    places = [(at, where[key]) for at, key in enumerate(_keys(one)) if key in where]
    if not places:
        raise WrongUse(
            f"The runs {one.run.token} and {other.run.token} have no question in common, so they "
            "cannot be compared."
        )
    mine, theirs = zip(*places, strict=True)
    left, right = _only(one, a, mine), _only(other, b, theirs)
    if left.name == right.name:
        left = replace(left, name=f"{left.name} ({one.run.token})")
        right = replace(right, name=f"{right.name} ({other.run.token})")
    if left.name == right.name:
        right = replace(right, name=f"{right.name}, again")
    return Results(
        other.run,
        other.plan,
        tuple(one.items[at] for at in mine),
        tuple(one.expected[at] for at in mine),
        (left, right),
    )


def _keys(results: Results) -> list[tuple[bytes, str, int]]:
    """Return what each question of a run is known by, in any project: equal ones are numbered."""
    seen: Counter[tuple[bytes, str]] = Counter()
    keys = []
    for item, right in zip(results.items, results.expected, strict=True):
        key = item.prompt, right if right is not None else canonical(item.expected)
        keys.append((*key, seen[key]))
        seen[key] += 1
    return keys


def _only(results: Results, number: int, places: Sequence[int]) -> Scored:
    """Return a candidate on some of its items, all figures worked out anew."""
    each = results.candidates[number]
    at = np.fromiter(places, np.int64, len(places))
    labels = tuple(each.labels[p] for p in places)
    expected = [results.expected[p] for p in places]
    coded = None if each.coded is None else encode([e or "" for e in expected], labels)
    values = {name: scores[at] for name, scores in each.values.items()}
    right = each.right[at]
    return Scored(
        each.name,
        tuple(each.replies[p] for p in places),
        labels,
        coded,
        values,
        right,
        _figures(coded, values, right),
    )


def _expected(scoring: Scoring, items: Sequence[StoredItem]) -> tuple[str | None, ...]:
    if scoring.reading is None:
        return (None,) * len(items)
    read = scoring.reading.reader()
    # What the demonstrated answer says, where nothing can be read in it, is its own words.
    return tuple(
        item.label
        if item.label is not None
        else read(item.expected) or message_text(item.expected).strip()
        for item in items
    )


def _scored(
    name: str,
    scoring: Scoring,
    items: Sequence[StoredItem],
    expected: Sequence[str | None],
    replies: tuple[StoredReply | None, ...],
) -> Scored:
    messages = [{} if r is None or r.error else r.message for r in replies]
    texts = [message_text(message) for message in messages]
    wanted = [message_text(item.expected) for item in items]
    values: dict[str, Floats] = {}
    if scoring.texts:
        values |= text_scores.score_texts(texts, wanted)
    else:
        pairs = zip(texts, wanted, strict=True)
        values["exact_match"] = np.array([text_scores.exact_match(*p) for p in pairs], np.float64)
    if scoring.json_valid:
        values[JSON_VALID] = np.array([text_scores.is_valid_json(t) for t in texts], np.float64)
    labels: tuple[str | None, ...] = (None,) * len(items)
    coded = None
    right = values["exact_match"] == 1.0
    if scoring.reading is not None:
        read = scoring.reading.reader()
        labels = tuple(read(message) for message in messages)
        coded = encode([each or "" for each in expected], labels, scoring.reading.choices)
        right = coded.right
        if scoring.reading.way == "tool":
            calls = zip(messages, items, strict=True)
            same = [_same_calls(message, item.expected) for message, item in calls]
            values["tool_arguments"] = np.array(same, np.float64)
    figures = _figures(coded, values, right)
    if scoring.texts:
        figures |= text_scores.score_corpus(texts, wanted)
    return Scored(name, replies, labels, coded, values, right, figures)


def _figures(
    coded: Coded | None, values: Mapping[str, Floats], right: npt.NDArray[np.bool_]
) -> dict[str, float]:
    means = {n: float(scores.mean()) if len(scores) else 0.0 for n, scores in values.items()}
    if coded is not None:
        return score_labels(coded) | means
    return {"accuracy": float(right.mean()) if len(right) else 0.0} | means


def _same_calls(message: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Tell whether two messages call the same tools with equal arguments, in any order."""
    one, other = (
        sorted(canonical([name, arguments]) for name, arguments in calls_of(each))
        for each in (message, expected)
    )
    return one == other


def _matrix_row(coded: Coded) -> dict[str, Json]:
    return {
        "rows": list(coded.classes[: coded.n_real]),
        "columns": [*coded.classes, UNREADABLE],
        "counts": coded.matrix.tolist(),
    }


def _is_empty(reply: StoredReply) -> bool:
    said = message_text(reply.message).strip() or refusal_of(reply.message)
    return not (said or calls_of(reply.message) or reply.error)
