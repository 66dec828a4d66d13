"""Reading a file for the verbs that need no project."""

from collections.abc import Iterator
from pathlib import Path

from curator.formats import openai_chat


def numbered_lines(name: str) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a file with their line numbers; raises UnreadableInput."""
    for chunk in openai_chat.sniff(Path(name)).read():
        yield from zip(chunk.numbers, chunk.records, strict=True)
