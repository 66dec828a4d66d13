"""The formats that can be read, and which of them a file is."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from curator.formats import openai_chat


class Format(NamedTuple):
    """One record format: its name, its title for people, its usual endings, and how to look at a file."""

    name: str
    title: str
    extensions: tuple[str, ...]
    sniff: Callable[[Path], openai_chat.Source]


FORMATS: Final = (
    Format(openai_chat.NAME, openai_chat.TITLE, openai_chat.EXTENSIONS, openai_chat.sniff),
)
"""Every format, the most usual first."""


def sniff(path: Path) -> tuple[str, float]:
    """Return the format's name and how sure that is (0 to 1); raises UnreadableInput for no format."""
    best = max(((f.name, f.sniff(path).confidence) for f in FORMATS), key=lambda pair: pair[1])
    return best[0], round(best[1], 2)


def format_named(name: str) -> Format | None:
    """Return a format by name; None for an unknown one."""
    return next((f for f in FORMATS if f.name == name), None)
