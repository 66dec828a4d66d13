"""Rules P: secrets and personal data; a finding names the kind and the place, never the text itself."""

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from curator.curate.checks.subject import Subject, Trouble, trouble, where


class Kind(NamedTuple):
    """One kind of text that should not be trained: its name, form, proof and stand-in.

    The pattern cannot match a text that holds none of the signs; no signs means figures.
    """

    name: str
    pattern: re.Pattern[str]
    stand_in: str
    signs: tuple[str, ...]
    is_real: Callable[[str], bool] = lambda _: True


def _luhn(text: str) -> bool:
    digits = [int(c) for c in text if c.isdigit()]
    if len(set(digits)) < 2:
        return False
    doubled = [sum(divmod(2 * d, 10)) for d in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


_EIGHT_FIGURES: Final = re.compile(r"[0-9]{4} ?[0-9]{4}")

_EIGHT_FIGURES_LOOSE: Final = re.compile(r"[0-9]{4}[ -]?[0-9]{4}")


def _iban(text: str) -> bool:
    plain = text.replace(" ", "")
    if not 15 <= len(plain) <= 34 or not _EIGHT_FIGURES.search(text):
        return False
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def _mail(text: str) -> bool:
    host = text.rpartition("@")[2].lower()
    ends = (".test", ".invalid", ".example", ".localhost", ".local")
    return not host.endswith(ends) and ".".join(host.split(".")[-2:]) not in (
        "example.com",
        "example.org",
        "example.net",
    )


def _phone(text: str) -> bool:
    digits = "".join(c for c in text if c.isdigit())
    if not 9 <= len(digits) <= 15 or len(set(digits)) < 4:
        return False
    return digits[0] != "1" or (len(digits) == 11 and digits[1] not in "01")


def _kind(
    name: str,
    pattern: str,
    stand_in: str,
    signs: tuple[str, ...],
    proof: Callable[[str], bool] = lambda _: True,
) -> Kind:
    return Kind(name, re.compile(pattern, re.ASCII), stand_in, signs, proof)


_KEY: Final = "<SECRET>"
SECRETS: Final = (
    _kind(
        "private key",
        r"-----BEGIN (?:[A-Z]+ ){0,2}PRIVATE KEY(?: BLOCK)?-----(?:[\s\S]{1,9000}?-----END [A-Z ]{1,40}-----)?",
        _KEY,
        ("-----BEGIN",),
    ),
    _kind(
        "OpenAI or Anthropic key",
        r"(?<![\w-])sk-(?:proj-|svcacct-|admin-|ant-)?(?=[\w-]*\d)[A-Za-z0-9_-]{20,}",
        _KEY,
        ("sk-",),
    ),
    _kind(
        "Stripe key", r"(?<!\w)[srp]k_(?:live|test)_[0-9A-Za-z]{16,}", _KEY, ("k_live_", "k_test_")
    ),
    _kind(
        "GitHub token",
        r"(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})",
        _KEY,
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    ),
    _kind("GitLab token", r"(?<!\w)glpat-[A-Za-z0-9_-]{20,}", _KEY, ("glpat-",)),
    _kind("Hugging Face token", r"(?<!\w)hf_[A-Za-z0-9]{30,}", _KEY, ("hf_",)),
    _kind("AWS key id", r"(?<!\w)(?:AKIA|ASIA)[0-9A-Z]{16}(?!\w)", _KEY, ("AKIA", "ASIA")),
    _kind("Google API key", r"(?<!\w)AIza[0-9A-Za-z_-]{35}(?!\w)", _KEY, ("AIza",)),
    _kind("Slack token", r"(?<!\w)xox[abeprs]-[0-9A-Za-z-]{20,}", _KEY, ("xox",)),
    _kind(
        "web token",
        r"(?<![\w-])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
        _KEY,
        ("eyJ",),
    ),
    _kind(
        "password in an address",
        r"(?<=://)[^\s:/@]{1,80}:[^\s:/@]{3,80}(?=@[\w.-]+)",
        _KEY,
        ("://",),
    ),
    _kind(
        "storage account key", r"(?<=AccountKey=)[A-Za-z0-9+/]{40,}={0,2}", _KEY, ("AccountKey=",)
    ),
)
PERSONAL: Final = (
    _kind(
        "e-mail address",
        r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![\w-])",
        "<EMAIL>",
        ("@",),
        _mail,
    ),
    _kind(
        "IBAN",
        r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])",
        "<IBAN>",
        (),
        _iban,
    ),
    _kind(
        "card number",
        r"(?<![\w.-])(?:(?:[456]\d{3}|2[2-7]\d{2})(?:[ -]?\d{4}){3}"
        r"|3[47]\d{2}[ -]?\d{6}[ -]?\d{5})(?![\w-])",
        "<CARD>",
        (),
        _luhn,
    ),
    _kind(
        "phone number",
        r"(?<![\w+])\+[1-9][\d ()-]{7,20}\d(?![\w-])",
        "<PHONE>",
        ("+",),
        _phone,
    ),
)


def secrets(subject: Subject) -> Iterator[Trouble]:
    """P01: a key, token or password."""
    yield from _found(subject, SECRETS)


def personal_data(subject: Subject) -> Iterator[Trouble]:
    """P02: an e-mail address, bank account, card or phone number."""
    yield from _found(subject, PERSONAL)


def _may_match(kind: Kind, text: str) -> bool:
    """Say quickly whether a pattern could match, which spares most texts the slow patterns."""
    if kind.signs:
        return any(sign in text for sign in kind.signs)
    return _EIGHT_FIGURES_LOOSE.search(text) is not None


def _found(subject: Subject, kinds: tuple[Kind, ...]) -> Iterator[Trouble]:
    for text in subject.suspect_texts:
        for kind in kinds:
            if not _may_match(kind, text.words):
                continue
            for match in kind.pattern.finditer(text.words):
                if kind.is_real(match[0]):
                    yield trouble(
                        text.message,
                        text.field,
                        match.start(),
                        match.end(),
                        where=where(text.message, text.role),
                        kind=kind.name,
                    )


CHECKS: Final = (("P01", secrets), ("P02", personal_data))
