"""Columns of the index that are read when somebody first asks: tags, labels, titles' order, rules, hashes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from curator.dataset.errors import WrongUse
from curator.dataset.label import plain_name
from curator.project.store.finding_rows import with_rule
from curator.project.store.label_rows import (
    answered_by,
    answered_sets,
    different_answers,
    tags_of,
)
from curator.project.store.reader import Reader
from curator.project.store.tables import ids_by_title
from curator.project.store.values import LABEL_PREFIX

if TYPE_CHECKING:
    import pandas as pd

RARE_NUMBERS: Final = (
    *("content_hash", "prompt_hash", "system_hash", "import_hash", "source_line"),
    "kind",
)
"""Number columns that are too wide or too rarely wanted to be read at once."""

SEPARATOR: Final = "\x1f"
"""What stands between the different answers that annotators gave to one label set."""


class Rows(Protocol):
    """What a column is lined up with: the rows of an index."""

    def __len__(self) -> int: ...

    def rows_of(self, ids: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Return the row numbers of ids that are here, in the order given."""


class LazyColumns:
    """The rarer columns of one index, each read on first use and kept in step afterwards."""

    def __init__(self, reader: Reader, index: Rows) -> None:
        self._reader = reader
        self._index = index
        self._numbers: dict[str, npt.NDArray[np.int64]] = {}
        self._words: dict[str, pd.Categorical] = {}
        self._rules: dict[str, npt.NDArray[np.bool_]] = {}
        self._rank: npt.NDArray[np.int32] | None = None

    def clear(self) -> None:
        """Forget everything; it is read again when wanted."""
        self._numbers.clear()
        self._words.clear()
        self._rules.clear()
        self._rank = None

    def refresh(self, ids: npt.NDArray[np.int64], fields: frozenset[str]) -> None:
        """Forget or update what an edit of these fields changed."""
        if "content" in fields:
            self._numbers.clear()
            self._rules.clear()
            self._rank = None
        for name in fields & self._words.keys():
            self._update(name, ids)

    def numbers(self, name: str) -> npt.NDArray[np.int64]:
        """Return one of RARE_NUMBERS for every row."""
        if name not in self._numbers:
            self._numbers[name] = self._reader.column(name)
        return self._numbers[name]

    def tags(self) -> "pd.Categorical":
        """Return every row's tags; a category is a JSON list, the empty text is no tag."""
        return self._categorical("tags")

    def labels(self, label_set: str) -> "pd.Categorical":
        """Return every row's answers to a label set, the different ones joined by SEPARATOR."""
        return self._categorical(LABEL_PREFIX + label_set)

    def label_sets(self) -> tuple[str, ...]:
        """Return the names of all label sets that somebody answered."""
        return answered_sets(self._reader)

    def labelled_by(self, annotator: str) -> npt.NDArray[np.bool_]:
        """Return which rows have an answer of an annotator, case aside."""
        mask = np.zeros(len(self._index), np.bool_)
        mask[self._index.rows_of(answered_by(self._reader, plain_name(annotator)))] = True
        return mask

    def sources_named(self, name: str) -> list[int]:
        """Return the ids of the sources whose file name holds a text, case aside."""
        wanted = name.casefold()
        return [each.id for each in self._reader.sources() if wanted in each.name.casefold()]

    def with_rule(self, rule: str) -> npt.NDArray[np.bool_]:
        """Return which rows have a finding of a rule."""
        if rule not in self._rules:
            mask = np.zeros(len(self._index), np.bool_)
            mask[self._index.rows_of(np.array(with_rule(self._reader, rule), np.int64))] = True
            self._rules[rule] = mask
        return self._rules[rule]

    def title_rank(self, reader: Reader | None = None) -> npt.NDArray[np.int32]:
        """Return every row's place in the order of titles, case aside."""
        if self._rank is None:
            rank = np.zeros(len(self._index), np.int32)
            rows_in_order = self._index.rows_of(ids_by_title(reader or self._reader))
            rank[rows_in_order] = np.arange(len(rows_in_order), dtype=np.int32)
            self._rank = rank
        return self._rank

    def sort_key(self, sort: str) -> npt.NDArray[Any]:
        """Return the numbers whose order is the order of a rarer column."""
        if sort == "title":
            return self.title_rank()
        if sort in RARE_NUMBERS:
            return self.numbers(sort)
        if sort == "tags" or sort.startswith(LABEL_PREFIX):
            words = self._categorical(sort)
            rank = np.empty(len(words.categories), np.int32)
            rank[np.argsort(words.categories.to_numpy())] = np.arange(len(rank), dtype=np.int32)
            return np.asarray(rank[words.codes])
        raise WrongUse(f"There is no column {sort!r} to sort by.")

    def _categorical(self, name: str) -> "pd.Categorical":
        if name not in self._words:
            import pandas as pd

            texts = np.full(len(self._index), "", object)
            ids, words = self._read(name, None)
            texts[self._index.rows_of(ids)] = words
            self._words[name] = pd.Categorical(texts)
        return self._words[name]

    def _update(self, name: str, ids: npt.NDArray[np.int64]) -> None:
        column = self._words[name]
        found, words = self._read(name, ids)
        new = sorted({*words, ""} - set(column.categories))
        if new:
            column = column.add_categories(new)
        column[self._index.rows_of(ids)] = ""
        column[self._index.rows_of(found)] = words
        self._words[name] = column

    def _read(
        self, name: str, ids: npt.NDArray[np.int64] | None
    ) -> tuple[npt.NDArray[np.int64], list[str]]:
        if name == "tags":
            rows = tags_of(self._reader, ids)
        else:
            label_set = name.removeprefix(LABEL_PREFIX)
            rows = different_answers(self._reader, label_set, SEPARATOR, ids)
        return np.array([row[0] for row in rows], np.int64), [str(row[1]) for row in rows]
