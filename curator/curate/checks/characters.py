"""Rules on characters: texts that show nothing, lost letters, wrong encodings, invisible characters."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from curator.curate.checks.invisible import is_blank, unseen
from curator.curate.checks.misread import misread
from curator.curate.checks.shape import acts
from curator.curate.checks.subject import Subject, Trouble, as_text, shown, trouble, trouble_in
from curator.dataset.counted import counted
from curator.dataset.json_values import Json

LOST: Final = "\ufffd"
_NAMED: Final = 3


def only_blanks(subject: Subject) -> Iterator[Trouble]:
    """S08: nothing that a reader sees, where something should be said."""
    for index, message in enumerate(subject.messages):
        role = subject.roles[index]
        silent = _shows_nothing(message.get("content"))
        if silent and not (role == "assistant" and acts(message)):
            yield trouble(index, "content", role=shown(role) or "no role")


def _shows_nothing(content: Json) -> bool:
    """Say whether a content shows nothing; one without any text is for another rule."""
    if not isinstance(content, list):
        return isinstance(content, str) and content != "" and is_blank(content)
    texts = [
        as_text(part.get("text")) if isinstance(part, dict) and part.get("type") == "text" else "x"
        for part in content
    ]
    return any(texts) and all(map(is_blank, texts))


def lost_letters(subject: Subject) -> Iterator[Trouble]:
    """F11: the sign that stands where a letter could not be read."""
    for text in subject.suspect_strings:
        count = text.words.count(LOST)
        if count:
            start = text.words.index(LOST)
            yield trouble_in(text, start, start + 1, count=counted(count, "lost letter"))


def wrong_encoding(subject: Subject) -> Iterator[Trouble]:
    """F12: words that were read in the wrong encoding."""
    for text in subject.suspect_strings:
        first = next(misread(text.words), None)
        if first:
            found = shown(text.words[first.start : first.end].strip())
            meant = shown(first.meant.strip())
            yield trouble_in(text, first.start, first.end, found=found, meant=meant)


def unseen_characters(subject: Subject) -> Iterator[Trouble]:
    """F13: invisible characters that have no work to do where they stand."""
    for text in subject.suspect_strings:
        if is_blank(text.words):
            continue
        found = list(unseen(text.words))
        if found:
            names = ", ".join(islice(dict.fromkeys(each.name for each in found), _NAMED))
            count = counted(len(found), "invisible character")
            yield trouble_in(text, found[0].at, found[0].at + 1, count=count, names=names)


CHECKS: Final = (
    ("S08", only_blanks),
    ("F11", lost_letters),
    ("F12", wrong_encoding),
    ("F13", unseen_characters),
)
