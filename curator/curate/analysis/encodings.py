"""Token encodings from the shipped vocabularies: a fast engine that must prove itself, and tiktoken, which proves it.

The vocabularies are the files OpenAI publishes, verified by the SHA-256 that tiktoken pins, so
nothing is ever fetched. fastokens counts many times faster than tiktoken but is younger: it is
used only when it counts every text of the shipped golden file as tiktoken does, and the characters
that it is known to read otherwise always go to tiktoken.
"""

import base64
import hashlib
import json
import os
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import tiktoken

from curator.dataset.errors import CuratorError
from curator.dataset.resources import resource

CountText = Callable[[str], int]
CountTexts = Callable[[list[str]], npt.NDArray[np.int64]]


_SHORT: Final = 4_000
_REMEMBERED: Final = 1_024
"""How long a text may be, in characters, and how many of them, for their counts to be remembered."""


class Engine(NamedTuple):
    """Two ways into one counter: any text, and many texts known to be free of lone surrogates."""

    count: CountText
    count_clean: CountTexts


class Vocabulary(NamedTuple):
    """One published vocabulary: its file, the hash tiktoken pins, and its splitting pattern.

    fastokens splits texts with this one character otherwise (a sweep over all code points found it).
    """

    file: str
    sha256: str
    pattern: str
    misread: str = ""


_O200K: Final = Vocabulary(
    "o200k_base.tiktoken",
    "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "|".join(
        (
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        )
    ),
)
_CL100K: Final = Vocabulary(
    "cl100k_base.tiktoken",
    "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    misread="\u180e",
)
VOCABULARIES: Final = {"o200k_base": _O200K, "cl100k_base": _CL100K, "o200k_harmony": _O200K}
"""The vocabulary of each encoding; o200k_harmony differs from o200k_base in special tokens only,
and special tokens inside training text count as plain text."""


def verified_vocabulary(encoding: str) -> Path:
    """Return the vocabulary file of an encoding after checking its SHA-256."""
    vocabulary = VOCABULARIES[encoding]
    path = resource("encodings", vocabulary.file)
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CuratorError(
            f"The vocabulary {vocabulary.file} cannot be read ({error.strerror}); "
            "install Curator again."
        ) from error
    if found != vocabulary.sha256:
        raise CuratorError(
            f"The vocabulary {vocabulary.file} is damaged (its SHA-256 differs from the published "
            "one); install Curator again."
        )
    return path


def replace_surrogates(text: str) -> str:
    """Return the text as tiktoken reads it: pairs joined, lone surrogates as U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@cache
def _tiktoken_encoding(file: str) -> tiktoken.Encoding:
    """Build tiktoken's encoding from the shipped file; tiktoken's own loader would use the network."""
    name = file.removesuffix(".tiktoken")
    lines = verified_vocabulary(name).read_bytes().splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in (x.split() for x in lines)}
    pattern = VOCABULARIES[name].pattern
    encoding = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    # The native side made its own copy; this one would stay in memory beside it (30 MB).
    ranks.clear()
    return encoding


@cache
def _tiktoken(file: str) -> Engine:
    encode = _tiktoken_encoding(file).encode_ordinary

    @lru_cache(maxsize=_REMEMBERED)
    def remembered(text: str) -> int:
        return len(encode(text))

    def count(text: str) -> int:
        # At every pause in typing the conversation is counted again, and most of its texts are as before.
        return remembered(text) if len(text) <= _SHORT else len(encode(text))

    return Engine(count, lambda texts: np.fromiter(map(count, texts), np.int64, len(texts)))


def tiktoken_engine(encoding: str) -> Engine:
    """Return tiktoken, the reference: exact by definition, slower."""
    return _tiktoken(VOCABULARIES[encoding].file)


@cache
def _fastokens(file: str) -> Engine | None:
    try:
        from fastokens import Tokenizer
    except ImportError:
        return None
    # More threads inside one count spin and keep caches of their own; work is shared out by process.
    os.environ.setdefault("FASTOKENS_BPE_THREADS", "1")
    name = file.removesuffix(".tiktoken")
    tokenizer = Tokenizer.from_tiktoken(
        str(verified_vocabulary(name)), pattern=VOCABULARIES[name].pattern, special_tokens={}
    )
    # The first count builds tables for a quarter of a second; this call lets other threads run.
    tokenizer.encode_batch_flat(["Hello"], split_special_tokens=True)
    encode = tokenizer.encode_ordinary

    def count(text: str) -> int:
        try:
            return len(encode(text))
        except UnicodeEncodeError:
            return len(encode(replace_surrogates(text)))

    def count_clean(texts: list[str]) -> npt.NDArray[np.int64]:
        _, ends = tokenizer.encode_batch_flat(texts, split_special_tokens=True)
        places = np.frombuffer(ends, np.int64)
        counts: npt.NDArray[np.int64] = places[1:] - places[:-1]
        return counts

    engine = Engine(count, count_clean)
    misread = VOCABULARIES[name].misread
    if not agrees_with_golden(name, count, leaving_out=misread):
        return None
    return _with_reference(engine, file, misread) if misread else engine


def _with_reference(engine: Engine, file: str, misread: str) -> Engine:
    """Return an engine that leaves the texts with one character to tiktoken, loaded for the first."""

    def count(text: str) -> int:
        return _tiktoken(file).count(text) if misread in text else engine.count(text)

    def count_clean(texts: list[str]) -> npt.NDArray[np.int64]:
        counts = engine.count_clean(texts)
        for number in [number for number, text in enumerate(texts) if misread in text]:
            counts[number] = _tiktoken(file).count(texts[number])
        return counts

    return Engine(count, count_clean)


def fast_engine(encoding: str) -> Engine | None:
    """Return fastokens once it proved itself on the golden file, else None."""
    return _fastokens(VOCABULARIES[encoding].file)


def golden_texts() -> tuple[list[str], dict[str, list[int]]]:
    """Return the texts of the golden file and tiktoken's counts of them by encoding."""
    golden = json.loads(resource("encodings", "golden.json").read_text("utf-8"))
    return golden["texts"], golden["counts"]


def agrees_with_golden(encoding: str, count: CountText, *, leaving_out: str = "") -> bool:
    """Return whether a count gives tiktoken's figure for every golden text, but for those with a text."""
    texts, counts = golden_texts()
    return all(
        count(text) == exact
        for text, exact in zip(texts, counts[encoding], strict=True)
        if not leaving_out or leaving_out not in text
    )
