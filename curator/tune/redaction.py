"""Clearing whatever comes from a service of our key, before anybody sees it or it is written anywhere.

A service may echo the key it was sent: in an error, an event, a status, a name of a file or a model.
All of its answers and failures pass through one place (``Connection.call``), which clears them here.
"""

import base64
import dataclasses
import itertools
import logging
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final
from urllib.parse import quote

_SHOWN: Final = "[key]"
_FRAGMENT: Final = 12
"""So many characters of a key in a row are hidden too: services cut a key short when they show it."""

_known: Final[dict[str, "Redactor"]] = {}


class Redactor:
    """What hides one secret in texts, bytes and whole answers."""

    def __init__(self, secret: str) -> None:
        encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
        self._forms = tuple(dict.fromkeys((secret, quote(secret, safe=""), encoded)))
        pieces = {piece for form in self._forms for piece in _fragments(form)}
        found = "|".join(re.escape(piece) for piece in sorted(pieces))
        self._pattern = re.compile(f"(?=({found}))", re.IGNORECASE)
        self._longest = max(map(len, self._forms))
        self._reach = max(map(len, pieces)) - 1
        self._beginnings = {
            piece[:size].lower() for piece in pieces for size in range(1, len(piece))
        }

    def text(self, text: str) -> str:
        """Return a text with the secret, or a longer piece of it, hidden."""
        shown, end = [], 0
        for start, stop in self._places(text):
            shown += [text[end:start], _SHOWN]
            end = stop
        return "".join([*shown, text[end:]])

    def data(self, data: bytes) -> bytes:
        """Return the bytes of a small file with the secret hidden."""
        return b"".join(self.stream(iter((data,))))

    def stream(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield a download with the secret hidden, also where two pieces meet inside it.

        In a file of text every longer piece of it goes. In a file of numbers, such as weights, only the
        whole secret can stand by intention: it gives way to as many stars, so that nothing moves.
        """
        first = next(pieces, b"")
        whole = itertools.chain((first,), pieces)
        return self._numbers(whole) if b"\0" in first else self._words(whole)

    def _words(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        shown = PiecewiseRedactor(self)
        for piece in pieces:
            yield shown.take(piece.decode("latin-1")).encode("latin-1")
        yield shown.rest().encode("latin-1")

    def _numbers(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        held = b""
        for piece in pieces:
            held += piece
            for form in self._forms:
                held = held.replace(form.encode(), b"*" * len(form))
            ready = max(0, len(held) - self._longest + 1)
            yield held[:ready]
            held = held[ready:]
        yield held

    def answer(self, value: Any) -> Any:
        """Return an answer of an SDK with every text in it cleared, names of fields included."""
        if isinstance(value, Enum):
            return value  # a word of our own
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.answer(name): self.answer(each) for name, each in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(map(self.answer, value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value) if field.init]
            cleared = {name: self.answer(getattr(value, name)) for name in names}
            return dataclasses.replace(value, **cleared)
        if isinstance(value, bytes):
            return self.data(value)
        return self._fields(value)

    def open_end(self, text: str) -> int:
        """Return how many characters at the end of a text may be the secret once more has come."""
        low = text.lower()
        end = len(text)
        for size in range(min(self._reach, len(text)), 0, -1):
            if low[-size:] in self._beginnings:
                end -= size
                break
        for start, stop in self._places(text):
            if stop > end:
                return len(text) - min(start, end)
        return len(text) - end

    def _fields(self, value: Any) -> Any:
        """Clear the fields of an object of the protocol in place; other objects hold no texts of it."""
        if hasattr(value, "model_fields_set"):
            for store in (value.__dict__, getattr(value, "__pydantic_extra__", None)):
                if store:
                    cleared = self.answer(store)
                    store.clear()
                    store.update(cleared)
        return value

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where the secret stands; overlapping pieces of it are one place."""
        start = stop = -1
        for found in self._pattern.finditer(text):
            if found.start() > stop:
                if stop > 0:
                    yield start, stop
                start = found.start()
            stop = max(stop, found.start() + len(found[1]))
        if stop > 0:
            yield start, stop


class PiecewiseRedactor:
    """A text that comes in pieces: what may be the beginning of the secret is held back until it is not."""

    def __init__(self, redactor: Redactor | None) -> None:
        self._redactor = redactor
        self._held = ""

    def take(self, piece: str) -> str:
        """Return what can be shown now."""
        if self._redactor is None:
            return piece
        text = self._held + piece
        ready = len(text) - self._redactor.open_end(text)
        self._held = text[ready:]
        return self._redactor.text(text[:ready])

    def rest(self) -> str:
        """Return what was held back, at the end."""
        held, self._held = self._held, ""
        return self._redactor.text(held) if self._redactor else held


def remember(secret: str) -> Redactor:
    """Return the redactor of a secret that is in use, which reports and logs are cleared of from now on."""
    if secret not in _known:
        _known[secret] = Redactor(secret)
        if len(_known) == 1:
            _clear_logs()
    return _known[secret]


def clear_text(text: str) -> str:
    """Return a text without any secret this program has used: for reports of bugs and log files."""
    for redactor in _known.values():
        text = redactor.text(text)
    return text


def _clear_logs() -> None:
    """Clear every record that anybody logs: the SDKs log addresses, headers and answers on demand."""
    usual = logging.getLogRecordFactory()

    def cleared(*args: Any, **more: Any) -> logging.LogRecord:
        record = usual(*args, **more)
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):
            text = f"{record.msg} {record.args}"
        # Only where it has to be: some formatters want the arguments one by one.
        if clear_text(text) != text:
            record.msg, record.args = clear_text(text), ()
        if record.exc_info:
            trace = logging.Formatter().formatException(record.exc_info)
            record.exc_text = clear_text(trace)
        return record

    logging.setLogRecordFactory(cleared)


def _fragments(form: str) -> Iterator[str]:
    """Yield the pieces that give a secret away; a short one only as a whole."""
    if len(form) < _FRAGMENT + 4:
        yield form
        return
    for start in range(len(form) - _FRAGMENT + 1):
        yield form[start : start + _FRAGMENT]
