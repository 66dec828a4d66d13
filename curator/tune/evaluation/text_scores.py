"""Scores of texts against the demonstrated ones: exact match, token F1, chrF, BLEU, ROUGE, valid JSON."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from curator.project.store.values import storable
from curator.tune.evaluation.label_reading import NO_JSON, json_in, normal

ITEM_SCORES: Final = ("exact_match", "token_f1", "rouge1", "rouge2", "rougeL")
"""Scores that each reply has by itself, from 0 to 1; the figure is their mean."""
CORPUS_SCORES: Final = ("chrf", "bleu")
"""Scores of all replies together, from 0 to 100, as their authors define them."""

COMPARED_CHARACTERS: Final = 20_000
"""So much of a text is compared by chrF and BLEU; the others take all of it."""

_ROUGE_WORD: Final = re.compile(r"[a-z0-9]+")


def exact_match(reply: str, expected: str) -> float:
    """Return 1 where a reply is the demonstrated one, white space at the ends apart, else 0."""
    return float(reply.strip() == expected.strip())


def token_f1(reply: str, expected: str) -> float:
    """Return the F1 of the words of two texts, case and what stands around words apart; 1 for two empty ones."""
    said, wanted = (Counter(filter(None, map(normal, text.split()))) for text in (reply, expected))
    if not said or not wanted:
        return float(said == wanted)
    shared = (said & wanted).total()
    return 2 * shared / (said.total() + wanted.total())


def rouge(reply: str, expected: str) -> dict[str, float]:
    """Return the F1 of ROUGE-1, ROUGE-2 and ROUGE-L, as rouge-score computes them without a stemmer."""
    said, wanted = (_ROUGE_WORD.findall(text.lower()) for text in (reply, expected))
    return {
        "rouge1": _overlap(said, wanted, 1),
        "rouge2": _overlap(said, wanted, 2),
        "rougeL": _f1(_common_length(said, wanted), len(said), len(wanted)),
    }


def _overlap(said: Sequence[str], wanted: Sequence[str], n: int) -> float:
    grams, others = (
        Counter(tuple(words[at : at + n]) for at in range(len(words) - n + 1))
        for words in (said, wanted)
    )
    return _f1((grams & others).total(), grams.total(), others.total())


def _f1(shared: int, said: int, wanted: int) -> float:
    return 2 * shared / (said + wanted) if shared else 0.0


def _common_length(said: Sequence[str], wanted: Sequence[str]) -> int:
    """Return the length of the longest common subsequence, a bit of a number for each word (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for at, word in enumerate(wanted):
        places[word] = places.get(word, 0) | 1 << at
    everywhere = (1 << len(wanted)) - 1
    row = everywhere
    for word in said:
        matches = row & places.get(word, 0)
        row = ((row + matches) | (row - matches)) & everywhere
    return len(wanted) - row.bit_count()


def score_texts(
    replies: Sequence[str], expected: Sequence[str]
) -> dict[str, npt.NDArray[np.float64]]:
    """Return every score of ITEM_SCORES, one for each reply."""
    found: dict[str, list[float]] = {name: [] for name in ITEM_SCORES}
    for reply, wanted in zip(replies, expected, strict=True):
        found["exact_match"].append(exact_match(reply, wanted))
        found["token_f1"].append(token_f1(reply, wanted))
        for name, value in rouge(reply, wanted).items():
            found[name].append(value)
    return {name: np.array(values, np.float64) for name, values in found.items()}


def score_corpus(replies: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
    """Return chrF and BLEU of sacrebleu over all replies; 0 where there are none."""
    if not replies:
        return dict.fromkeys(CORPUS_SCORES, 0.0)
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    said, wanted = ([_compared(text) for text in texts] for texts in (replies, expected))
    return {
        "chrf": float(CHRF().corpus_score(said, [wanted]).score),
        "bleu": float(BLEU().corpus_score(said, [wanted]).score),
    }


def _compared(text: str) -> str:
    return storable(text[:COMPARED_CHARACTERS])


def is_valid_json(reply: str) -> bool:
    """Tell whether a reply is one JSON value, bare or in a code fence."""
    return json_in(reply) is not NO_JSON
