"""The columns by which conversations are the same, read from a project; never those of an older version."""

import numpy as np

from curator.curate.analysis.identity import Beginnings, Ints, Sameness
from curator.dataset.errors import ProjectError
from curator.project.store.derive import kernel_is_old
from curator.project.store.reader import Reader
from curator.project.store.tables import hashes_and_beginnings


def read_sameness(reader: Reader, ids: Ints) -> Sameness:
    """Read the columns of some conversations, given by ascending ids.

    Raises ProjectError where an older version of the program worked them out.
    """
    check_current(reader)
    contents, prompts = np.zeros(len(ids), np.int64), np.zeros(len(ids), np.int64)
    begun: list[bytes] = []
    done = 0
    for rows in hashes_and_beginnings(reader):
        chunk, content, prompt, beginnings = zip(*rows, strict=True)
        here = np.isin(np.array(chunk, np.int64), ids, assume_unique=True)
        end = done + int(here.sum())
        contents[done:end] = np.array(content, np.int64)[here]
        prompts[done:end] = np.array(prompt, np.int64)[here]
        begun += [beginnings[at] for at in np.flatnonzero(here).tolist()]
        done = end
    return Sameness(contents, prompts, Beginnings.unpack(begun))


def check_current(reader: Reader) -> None:
    """Raise ProjectError where the stored columns still are those of an older version."""
    if kernel_is_old(reader):
        raise ProjectError(
            f"Which conversations of {reader.path.name} are the same was worked out by another "
            "version of Curator. Open the project once where it may be changed; it is then brought "
            "up to date by itself.",
            reader.path,
        )
