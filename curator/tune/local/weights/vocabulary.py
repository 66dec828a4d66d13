"""Words that get a token of their own: added to the tokenizer and the embedding, saved as a few rows.

A new row starts as the mean of the rows of the tokens the word was made of before: a random or
average row costs the base more than it gains.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from curator.tune.local.job_folders import read_json, write_json

FILE: Final = "added_tokens_of_job.json"


def teach(tokenizer: Any, words: Sequence[str]) -> dict[str, list[int]]:
    """Add words to a tokenizer; return for each added one the tokens it was made of before.

    Words that are one token already, or none at all, are left as they are.
    """
    parts = {word: tokenizer(word, add_special_tokens=False)["input_ids"] for word in words}
    fresh = {word: ids for word, ids in parts.items() if len(ids) > 1}
    tokenizer.add_tokens(list(fresh))
    return fresh


def extend(tokenizer: Any, weights: Any, parts: Mapping[str, Sequence[int]]) -> tuple[int, ...]:
    """Give the taught words their rows in a loaded base; return the new tokens' ids.

    The same words in the same order always make the same base.
    """
    import torch

    if not parts:
        return ()
    ids = tuple(tokenizer.convert_tokens_to_ids(word) for word in parts)
    weights.resize_token_embeddings(max(len(tokenizer), _rows(weights)), mean_resizing=False)
    with torch.no_grad():
        for table in _tables(weights):
            for before, row in zip(parts.values(), ids, strict=True):
                table[row] = table[list(before)].mean(0)
    return ids


def remember(folder: Path, words: Sequence[str]) -> None:
    """Write the words beside a checkpoint, so that its rows find their tokens again."""
    if words:
        write_json(folder / FILE, {"words": list(words)})


def remembered(folder: Path) -> tuple[str, ...]:
    """Return the words a checkpoint was trained with."""
    path = folder / FILE
    return tuple(read_json(path, {"words": list})["words"]) if path.is_file() else ()


def _rows(weights: Any) -> int:
    return int(weights.get_input_embeddings().weight.shape[0])


def _tables(weights: Any) -> list[Any]:
    """Return the input embedding and, where it is a table of its own, the output one."""
    tables = [weights.get_input_embeddings().weight]
    output = weights.get_output_embeddings()
    if output is not None and output.weight is not tables[0]:
        tables.append(output.weight)
    return tables
