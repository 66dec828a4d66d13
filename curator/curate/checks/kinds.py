"""The kinds of text that rules find by their form, made of the rule data: patterns, signs and proofs.

A proof runs on what a pattern matched only, so the libraries behind it are loaded where one is needed.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final, NamedTuple

from curator.dataset.rule import load_rules


class Kind(NamedTuple):
    """One kind of text: its name, form, proof and stand-in.

    The pattern cannot match a text that holds none of the signs; no signs means eight figures.
    """

    name: str
    pattern: re.Pattern[str]
    stand_in: str
    signs: tuple[str, ...]
    after_sign: re.Pattern[bytes] | None
    is_real: Callable[[str], bool]


@cache
def kinds_of(*rules: str) -> tuple[Kind, ...]:
    """Return the kinds of text that these rules look for."""
    return tuple(
        Kind(
            kind.name,
            re.compile(kind.pattern, re.ASCII),
            kind.stand_in,
            kind.signs,
            re.compile(kind.after_sign.encode()) if kind.after_sign else None,
            _PROOFS[kind.proof] if kind.proof else _needs_no_proof,
        )
        for rule in rules
        for kind in load_rules()[rule].kinds
    )


@cache
def control_token() -> re.Pattern[str]:
    """Return the pattern of every token by which the templates of chat models mark turns (L03)."""
    return re.compile("|".join(kind.pattern.pattern for kind in kinds_of("L03")), re.ASCII)


def _needs_no_proof(_: str) -> bool:
    return True


def _mail(text: str) -> bool:
    host = text.rpartition("@")[2].lower()
    # RFC 2606 and RFC 6762 keep these for examples and for networks of one's own.
    ends = (".test", ".invalid", ".example", ".localhost", ".local")
    return not host.endswith(ends) and ".".join(host.split(".")[-2:]) not in (
        "example.com",
        "example.org",
        "example.net",
    )


# An account number has them in every country; by them a line is seen to hold one at all.
_EIGHT_FIGURES: Final = re.compile(r"[0-9]{4} ?[0-9]{4}")


def _iban(text: str) -> bool:
    from stdnum import iban

    return _EIGHT_FIGURES.search(text) is not None and bool(iban.is_valid(text))


def _card(text: str) -> bool:
    from stdnum import luhn

    return bool(luhn.is_valid(re.sub("[ -]", "", text)))


def _phone(text: str) -> bool:
    import phonenumbers

    digits = {c for c in text if c.isdigit()}
    # So few different figures are a placeholder, such as +49 111 1111111.
    if len(digits) < 4:
        return False
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text))
    except phonenumbers.NumberParseException:
        return False


_PROOFS: Final[Mapping[str, Callable[[str], bool]]] = {
    "mail": _mail,
    "iban": _iban,
    "card": _card,
    "phone": _phone,
}
