"""From what a person asks for to a run: which conversations, whom, with which settings, scored how."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from curator.dataset.codes import SPLITS
from curator.dataset.errors import WrongUse
from curator.dataset.label import spelling
from curator.dataset.progress import CancelledCall, never_cancelled
from curator.project.labels import label_sets
from curator.project.store.evaluation_rows import StoredRun
from curator.project.store.label_rows import answered_sets, labels_that_count
from curator.project.store.project import Project
from curator.project.store.reader import Reader
from curator.project.store.tables import living
from curator.tune.evaluation.asking import AskSettings
from curator.tune.evaluation.candidates import RunCandidate, check_names
from curator.tune.evaluation.items import Item, calls_of, demonstrated_answers, read_items
from curator.tune.evaluation.label_reading import (
    WAYS,
    Reading,
    guess_reading,
    meanings_of,
    parse_reading,
)
from curator.tune.evaluation.results import JSON_VALID, TEXT, Scoring
from curator.tune.evaluation.runs import RunPlan, start_run

_SPELLED: Final = ("choice", "normalised", "demonstrated")
"""Ways to read a label that know the labels there are."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for; scores as on the command line, label_set names where right labels stand.

    limit asks so many of the questions only, drawn by the seed of the settings.
    """

    candidates: tuple[RunCandidate, ...]
    split: str = ""
    where: str = ""
    scores: tuple[str, ...] = ()
    label_set: str = ""
    settings: AskSettings = field(default_factory=AskSettings)
    limit: int | None = None
    fresh: bool = False


def query_of(split: str, *, is_open: bool = False) -> str:
    """Return the query of a split; what was rejected is no example of a right answer, unless is_open.

    Raises WrongUse for a split there is not.
    """
    if split and split not in SPLITS:
        raise WrongUse(f'There is no split "{split}"; choose {", ".join(filter(None, SPLITS))}.')
    return " ".join(
        filter(None, (f"split:{split}" if split else "", "" if is_open else "-status:rejected"))
    )


def prepare(
    project: Project,
    ids: Sequence[int],
    request: Request,
    *,
    cancelled: CancelledCall = never_cancelled,
) -> StoredRun:
    """Store a run over conversations, ready to be asked; raises WrongUse for what does not go together."""
    plan, items = planned(project, ids, request, cancelled=cancelled)
    return start_run(project, plan, items)


def planned(
    project: Reader,
    ids: Sequence[int],
    request: Request,
    *,
    cancelled: CancelledCall = never_cancelled,
) -> tuple[RunPlan, tuple[Item, ...]]:
    """Return what a run would ask of whom, and store nothing; raises WrongUse as prepare does."""
    check_names(request.candidates)
    label_set, labels = _labels(project, request.label_set)
    items, left_out = read_items(
        project, ids, labels=labels if label_set else None, cancelled=cancelled
    )
    if request.limit is not None and request.limit < len(items):
        chosen = Random(request.settings.seed or 0).sample(range(len(items)), request.limit)
        items = tuple(items[at] for at in sorted(chosen))
    scoring = _scoring(project, items, request.scores, label_set, labels)
    plan = RunPlan(
        request.candidates,
        request.settings,
        request.split,
        request.where,
        scoring.to_json(),
        left_out,
        request.fresh,
    )
    return plan, items


def scoring_again(reader: Reader, scores: Sequence[str]) -> Scoring:
    """Return other scores for the replies that a run has; raises WrongUse as prepare does."""
    return _scoring(reader, (), scores, "", {})


def _labels(reader: Reader, name: str) -> tuple[str, dict[int, str]]:
    """Return a label set as the project spells it and the label of each conversation that has one."""
    if not name:
        return "", {}
    known = dict.fromkeys([*(each.name for each in label_sets(reader)), *answered_sets(reader)])
    found = spelling(name, known)
    if found is None:
        there = ", ".join(known) or "none yet"
        raise WrongUse(f'There is no label set "{name}"; there are: {there}.')
    return found, {id_: value for id_, _, value in labels_that_count(reader, found)}


def _scoring(
    reader: Reader,
    items: Sequence[Item],
    scores: Iterable[str],
    label_set: str,
    labels: Mapping[int, str],
) -> Scoring:
    ways, texts, json_valid = [], False, False
    for score in scores:
        if score == TEXT:
            texts = True
        elif score == JSON_VALID:
            json_valid = True
        elif score.partition("=")[0] in WAYS:
            ways.append(score)
        else:
            known = ", ".join((*WAYS, TEXT, JSON_VALID))
            raise WrongUse(f'There is no score "{score}"; choose of {known}.')
    if len(ways) > 1:
        raise WrongUse(f"Labels are read in one way, not in {' and '.join(ways)}. Choose one.")
    if ways:
        reading: Reading | None = _spelled(reader, parse_reading(ways[0]), label_set, labels)
    elif texts or json_valid:
        reading = None
    else:
        reading = _guessed(reader, items, label_set, labels)
    return Scoring(reading, texts or (reading is None and not json_valid), json_valid)


def _guessed(
    reader: Reader, items: Sequence[Item], label_set: str, labels: Mapping[int, str]
) -> Reading | None:
    if label_set:
        return _spelled(reader, Reading("demonstrated"), label_set, labels)
    if sum(bool(calls_of(item.expected)) for item in items) * 2 > len(items):
        return Reading("tool")
    return guess_reading(_answers(reader).values())


def _spelled(
    reader: Reader, reading: Reading, label_set: str, labels: Mapping[int, str]
) -> Reading:
    """Return a reading with the labels there are, for those ways that need to know them."""
    if reading.way not in _SPELLED or reading.argument:
        return reading
    if label_set:
        defined = next((s.values for s in label_sets(reader) if s.name == label_set), ())
        choices = tuple(dict.fromkeys([*defined, *sorted(set(labels.values()))]))
        meanings = meanings_of(_answers(reader, labels), labels)
        return Reading(reading.way, "", choices, meanings)
    if reading.way == "demonstrated":
        raise WrongUse("Name the label set that says what demonstrated replies mean: --set NAME.")
    answers = {text.strip() for text in _answers(reader).values()}
    return Reading(reading.way, "", tuple(sorted(answers)))


def _answers(reader: Reader, of: Iterable[int] = ()) -> dict[int, str]:
    """Return the demonstrated answers of some conversations, by default of all that are not removed."""
    there = living(reader).tolist()
    wanted = set(of)
    return demonstrated_answers(reader, [id_ for id_ in there if not wanted or id_ in wanted])
