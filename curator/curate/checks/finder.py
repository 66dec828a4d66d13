"""Finds where secrets, personal data and control tokens may stand: one automaton of all their signs.

Whatever has a sign is found in one pass by Aho and Corasick's automaton; numbers have none and are
found by their figures. The signs and what follows them come from the rule data, so what is found here
is never less than what the rules' own patterns match, and little more. Lost, doubly encoded and
invisible characters are looked for in texts by `odd_characters`, and control characters, which JSON
writes as escapes, one by one.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import numpy as np
from ahocorasick_rs import BytesAhoCorasick, Implementation

from curator.curate.checks.kinds import Kind, kinds_of
from curator.curate.checks.odd_characters import odd_characters
from curator.dataset.json_values import LONE_SURROGATE
from curator.dataset.rule import load_rules

CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
"""The control characters that are no white space."""

# Escapes by which JSON could hide a sign: of a slash, or of a character from U+0020 to U+007F.
_ESCAPES: Final = ((b"\\/", None), (b"\\u00", re.compile(rb"[2-7]")))

# What eight figures begin in a card number, and what stands before or over them in a bank account number.
_CARD: Final = re.compile(rb"[2-6][0-9]{3}[ -]?[0-9]{4,6}[ -]?[0-9]{4}")
_ACCOUNT: Final = re.compile(rb"[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4}")
_LONGEST_ACCOUNT: Final = 34 + 9
_ZERO, _SPACE, _DASH, _LINE_END = np.frombuffer(b"0 -\n", np.uint8)


class Finder:
    """Finds the signs of some kinds of text; it has no state, so threads may share one."""

    def __init__(self, kinds: Iterable[Kind], *, with_escapes: bool) -> None:
        signs = [(sign.encode(), kind.after_sign) for kind in kinds for sign in kind.signs]
        signs += _ESCAPES if with_escapes else ()
        # Of the library's three forms this one is the fastest by far, and so few signs fill few kilobytes.
        automaton = BytesAhoCorasick([sign for sign, _ in signs], implementation=Implementation.DFA)
        self._find = automaton.find_matches_as_indexes
        self._after = [after for _, after in signs]

    def places(self, data: bytes | memoryview) -> list[int]:
        """Return in order where signs end in UTF-8 behind which a match of their kind can go on."""
        after = self._after
        # A sign may begin within another: the dashes of "task-----BEGIN".
        return [
            end
            for which, _, end in self._find(data, overlapping=True)
            if (follows := after[which]) is None or follows.match(data, end)
        ]


@cache
def finder_of_all() -> Finder:
    """Return the finder of every kind of text that a rule looks for."""
    return Finder(kinds_of(*load_rules()), with_escapes=False)


@cache
def finder_of_errors(profile: str) -> Finder:
    """Return the finder of those kinds that are errors for a profile, in JSON however it is written."""
    errors = [r.id for r in load_rules().values() if r.severity_for(profile) == "error"]
    return Finder(kinds_of(*errors), with_escapes=True)


def needs_reading(text: str) -> bool:
    """Say whether a text may hold something for the rules on texts; false proves that it does not."""
    return bool(texts_to_read([text]))


def texts_to_read(texts: Sequence[str]) -> set[int]:
    """Return the numbers of all texts that may hold something for the rules on texts (F10 to F13, S08, L03, P)."""
    if any(map(LONE_SURROGATE.search, texts)):
        broken = {number for number, text in enumerate(texts) if LONE_SURROGATE.search(text)}
        return broken | texts_to_read([LONE_SURROGATE.sub("?", text) for text in texts])
    # A space for a line break brings figures nearer together, so nothing is overlooked.
    found = lines_to_read("\n".join([text.replace("\n", " ") for text in texts]).encode())
    found.update(odd_characters(texts))
    return found.union(number for number, text in enumerate(texts) if CONTROL.search(text))


def lines_to_read(data: bytes) -> set[int]:
    """Return the numbers of the lines to look at closely; they are texts, or JSON with only the needed escapes."""
    places = [*finder_of_all().places(data), *_numbers(data)]
    if not places:
        return set()
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _LINE_END)
    return set(np.searchsorted(ends, np.array(places) - 1).tolist())


def _numbers(data: bytes) -> list[int]:
    """Return where eight figures end that may belong to a card or bank account number.

    They stand in a row or as two groups of four; such a group is looked for in all bytes at once.
    """
    codes = np.frombuffer(data, np.uint8)
    # Whatever lies before the zero is far above nine once it is subtracted without a sign.
    figure = codes - _ZERO < 10
    two = figure[:-1] & figure[1:]
    four = two[:-2] & two[2:]
    at = np.flatnonzero(four[:-4])
    between = codes[at + 4]
    apart = (between == _SPACE) | (between == _DASH)
    follows = four[at + 4] | (apart & four[np.minimum(at + 5, len(four) - 1)])
    return [
        place + 8
        for place in at[follows].tolist()
        if _CARD.match(data, place)
        or _ACCOUNT.search(data, max(0, place - _LONGEST_ACCOUNT), place + 12)
    ]
