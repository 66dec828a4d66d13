"""API keys: from the environment or the operating system's key store, and never shown."""

import os
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from curator.dataset.errors import TargetError, WrongUse
from curator.dataset.small_files import read_text
from curator.tune.redaction import Redactor, remember
from curator.tune.targets.profiles import Target, state_folder

SERVICE: Final = "curator"
"""The name under which the key store files every key of this program."""

_T = TypeVar("_T")


class Key:
    """An API key that does not show itself in logs, errors or pictures of variables."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        cleaned = text.strip()
        if not cleaned or not cleaned.isascii() or not cleaned.isprintable() or " " in cleaned:
            raise WrongUse(
                "The key is empty or holds characters that no key has (spaces, line breaks, "
                "letters with accents). Copy it again from the service's page."
            )
        self._text = cleaned

    def __repr__(self) -> str:
        return "Key(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a key is never written to disk")

    def reveal(self) -> str:
        """Return the key itself, for the one place that sends it."""
        return self._text

    @property
    def redactor(self) -> Redactor:
        """What hides this key in texts and answers; reports and logs are cleared of it from now on."""
        return remember(self._text)


def find_key(target: Target, *, limit_s: float = 4.0) -> Key | None:
    """Return a target's key: environment variable first, then the key store; None where neither has one."""
    if target.auth == "none":
        return None
    if target.protocol == "local":
        return _local_token()
    from_environment = os.environ.get(target.key_env, "") if target.key_env else ""
    if from_environment.strip():
        return Key(from_environment)
    try:
        stored = _ask_store(lambda store: store.get_password(SERVICE, target.id), limit_s)
    except TargetError:
        return None
    return Key(stored) if stored else None


def need_key(target: Target, *, limit_s: float = 4.0) -> Key | None:
    """Return a target's key, None where it takes none; raises TargetError where it is missing."""
    key = find_key(target, limit_s=limit_s)
    if key is None and target.auth != "none":
        raise TargetError(
            f"There is no API key for {target.label}. Store it on the Train page, or set the "
            f"environment variable {target.key_env}.",
            code="no_key",
        )
    return key


def key_place(target: Target, *, limit_s: float = 4.0) -> str:
    """Say where a target's key comes from: "environment", "key store", "not needed" or "missing"."""
    if target.auth == "none" or target.protocol == "local":
        return "not needed"
    if target.key_env and os.environ.get(target.key_env, "").strip():
        return "environment"
    return "missing" if find_key(target, limit_s=limit_s) is None else "key store"


def store_key(target: Target, key: Key, *, limit_s: float = 20.0) -> None:
    """Put a key into the key store; raises TargetError naming the environment variable to use instead."""
    try:
        _ask_store(lambda s: s.set_password(SERVICE, target.id, key.reveal()), limit_s)
        kept = _ask_store(lambda s: s.get_password(SERVICE, target.id), limit_s)
    except TargetError as error:
        raise TargetError(f"{error} {_instead(target)}", code="no_key_store") from None
    if kept != key.reveal():
        # A null key store swallows what it is given.
        raise TargetError(
            f"The key store did not keep the key. {_instead(target)}", code="no_key_store"
        )


def _instead(target: Target) -> str:
    return f"Set the environment variable {target.key_env} before you start Curator."


def _ask_store(question: "Callable[[KeyStore], _T]", limit_s: float) -> _T:
    """Ask the key store in a thread of its own: a locked one may wait for a password for ever."""
    answers: list[_T] = []
    refusals: list[str] = []

    def ask() -> None:
        try:
            answers.append(question(_store()))
        except Exception as error:  # noqa: BLE001 - provider boundary: key stores raise anything
            refusals.append(type(error).__name__)

    thread = threading.Thread(target=ask, name="key-store", daemon=True)
    thread.start()
    thread.join(limit_s)
    if answers:
        return answers[0]
    if refusals:
        raise TargetError(f"This computer has no usable key store ({refusals[0]}).")
    raise TargetError(f"The key store did not answer within {limit_s:g} seconds.")


class KeyStore:
    """What Curator needs of a key store; the keyring package is one."""

    def get_password(self, service: str, name: str) -> str | None:
        """Return the secret of that name, or None."""
        import keyring

        return keyring.get_password(service, name)

    def set_password(self, service: str, name: str, secret: str) -> None:
        """Keep a secret under a name."""
        import keyring

        keyring.set_password(service, name, secret)


def _store() -> KeyStore:
    return KeyStore()


def _local_token() -> Key | None:
    path = state_folder() / "local-server.token"
    return Key(read_text(path)) if path.is_file() else None
