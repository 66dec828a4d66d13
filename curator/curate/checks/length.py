"""Rules L: what does not fit the limit, and control tokens written out in a text."""

import re
from collections.abc import Iterator
from typing import Final

from curator.curate.checks.subject import Subject, Trouble, trouble, where
from curator.dataset.rule import load_rules

CONTROL_TOKEN: Final = re.compile(
    r"<\|[A-Za-z0-9_]{2,40}\|>|<｜[^<>｜\s]{2,40}｜>|<(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>"
)
"""Tokens by which OpenAI, Llama, Mistral, Gemma, Qwen and DeepSeek templates mark turns."""


def too_long(subject: Subject) -> Iterator[Trouble]:
    """L01: longer than the target reads."""
    if subject.tokens is not None and subject.limit and subject.tokens > subject.limit:
        yield trouble(tokens=f"{subject.tokens:,}", limit=f"{subject.limit:,}")


def nearly_too_long(subject: Subject) -> Iterator[Trouble]:
    """L02: so close to the limit that a different count may cross it."""
    if subject.tokens is None or not subject.limit:
        return
    percent = load_rules()["L02"].limit_for(subject.profile)
    if subject.limit * percent < subject.tokens * 100 <= subject.limit * 100:
        yield trouble(tokens=f"{subject.tokens:,}", percent=percent, limit=f"{subject.limit:,}")


def control_tokens(subject: Subject) -> Iterator[Trouble]:
    """L03: a template's own mark as plain text."""
    for text in subject.suspect_texts:
        for match in CONTROL_TOKEN.finditer(text.words):
            yield trouble(
                text.message,
                text.field,
                match.start(),
                match.end(),
                where=where(text.message, text.role),
                token=match[0],
            )


CHECKS: Final = (("L01", too_long), ("L02", nearly_too_long), ("L03", control_tokens))
