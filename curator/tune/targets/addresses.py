"""Base URLs: the traps people fall into when they paste one, and who is on this computer."""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from curator.dataset.errors import WrongUse

_PASTED: Final = re.compile(
    r"/(chat/completions|completions|responses|embeddings|models|files|fine_tuning(/jobs)?)/*$"
)
_VERSION: Final = re.compile(r"/(v\d+([a-z]+\d*)?)(/|$)")


def fix_address(url: str) -> tuple[str, tuple[str, ...]]:
    """Return a base URL with pasted endings taken off, and a sentence for everything worth knowing.

    Raises WrongUse where it is no web address at all.
    """
    text = url.strip()
    notes: list[str] = []
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WrongUse(
            f'"{text}" is not a web address: write it in full, for example https://host.example/v1.'
        )
    if parts.username or parts.password:
        raise WrongUse(
            "Leave user name and password out of the address: keys have their own field."
        )
    path = parts.path
    if parts.query or parts.fragment:
        notes.append("Left out what stood after the path (such as ?api-version=): it is not sent.")
    while _PASTED.search(path):
        cut = _PASTED.sub("", path)
        notes.append(f"Left out {path[len(cut) :]}: a base URL ends before it.")
        path = cut
    if not _VERSION.search(path):
        notes.append("The address has no version such as /v1; most servers need it at the end.")
    if parts.scheme == "http" and not is_loopback(text):
        notes.append(
            "The address starts with http://, so key and data travel in clear text: use https://."
        )
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/"), "", "")), tuple(notes)


def is_loopback(url: str) -> bool:
    """Say whether an address is this computer itself, where no proxy may come between."""
    host = (urlsplit(url).hostname or "").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """Return host and port of an address, the part a person should see before a start."""
    return urlsplit(url).netloc.rpartition("@")[2]


def root_of(url: str) -> str:
    """Return an address without its path: https://api.example.com."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
