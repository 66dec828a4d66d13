"""How well a few typed letters fit a name: for the command palette and other pickers."""

from typing import Final

_START, _WORD, _RUN, _GAP = 8, 6, 4, 1
NO_MATCH: Final = -1


def score(typed: str, name: str) -> int:
    """Return how well typed fits name, NO_MATCH where its letters do not stand there in order.

    Letters at the start of words and in a run count more; a shorter name wins a tie.
    """
    wanted = [letter for letter in typed.casefold() if not letter.isspace()]
    text = name.casefold()
    best, at, previous = 0, 0, -2
    for letter in wanted:
        found = _word_start(text, letter, at)
        near = text.find(letter, at)
        if near < 0:
            return NO_MATCH
        place = near if near == previous + 1 or found < 0 else found
        best += _worth(text, place, previous)
        previous, at = place, place + 1
    return best * 100 - len(text)


def _word_start(text: str, letter: str, at: int) -> int:
    for place in range(at, len(text)):
        if text[place] == letter and (place == 0 or not text[place - 1].isalnum()):
            return place
    return -1


def _worth(text: str, place: int, previous: int) -> int:
    if place == 0:
        return _START
    if place == previous + 1:
        return _RUN
    return _WORD if not text[place - 1].isalnum() else _GAP
