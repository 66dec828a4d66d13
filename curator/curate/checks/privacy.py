"""Rules P: secrets and personal data; a finding names the kind and the place, never the text itself."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from curator.curate.checks.kinds import kinds_of
from curator.curate.checks.subject import Subject, Trouble, trouble_in


def _found(subject: Subject, rule: str) -> Iterator[Trouble]:
    for text in subject.suspect_texts:
        for kind in kinds_of(rule):
            # The signs are found faster than the patterns say no.
            if kind.signs and not any(sign in text.words for sign in kind.signs):
                continue
            for match in kind.pattern.finditer(text.words):
                if kind.is_real(match[0]):
                    yield trouble_in(text, *match.span(), kind=kind.name)


def _check_of(rule: str) -> tuple[str, Callable[[Subject], Iterable[Trouble]]]:
    return rule, lambda subject: _found(subject, rule)


CHECKS: Final = (_check_of("P01"), _check_of("P02"))
