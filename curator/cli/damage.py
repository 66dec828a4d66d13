"""What a verb says of stored texts that are damaged: whose they are, and that they were left out."""

from collections.abc import Collection
from dataclasses import replace

from curator.cli.answer import FOUND, Answer


def naming_damaged(answer: Answer, damaged: Collection[int]) -> Answer:
    """Return an answer that names the conversations a verb had to leave out; then it ends with 1."""
    from curator.project.store.stored_texts import damage_told

    if not damaged:
        return answer
    keys = {**answer.keys, "damaged": sorted(damaged)}
    told = f"! {damage_told(sorted(damaged))} What else there is was done."
    return replace(answer, keys=keys, lines=(*answer.lines, told), code=answer.code or FOUND)
