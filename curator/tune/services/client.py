"""One client for every target: each answer guarded, each failure one sentence, the key in none of them.

This is the provider boundary: whatever the SDK or a server does, a CallFailed comes out, raised
outside the handler so that no traceback carries a request, a header or a body that echoes the key.
"""

import math
import re
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from curator.dataset.errors import CuratorError, TargetError, WrongUse
from curator.tune.redaction import PiecewiseRedactor
from curator.tune.services.port import Listing
from curator.tune.services.sdk_client import build_client
from curator.tune.targets.addresses import host_of, is_loopback
from curator.tune.targets.keys import Key, need_key
from curator.tune.targets.profiles import Target, with_local_address

if TYPE_CHECKING:
    from openai import OpenAI

Outcome = Literal["not_sent", "refused", "unclear"]
_T = TypeVar("_T")

_READ_S: Final = 60.0
# A thousand items: an end for servers whose pages never end.
_MAX_PAGES: Final = 10
_PAGE_SIZE: Final = 100
_OPEN: Final = (408, 409, 499)
"""Refusals behind which the work may go on all the same; 499 is a gateway's own time-out."""

# A broken Retry-After may name years; the service is asked again within an hour all the same.
_LONGEST_WAIT_S: Final = 3600.0
# What the SDKs raise where an answer does not have the shape that they read.
_BROKEN_ANSWER: Final = (ValueError, TypeError, AttributeError, KeyError)


class CallFailed(TargetError):
    """A call that failed; outcome says whether the server can have acted on it all the same."""

    def __init__(
        self,
        message: str,
        *,
        outcome: Outcome,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        is_page: bool = False,
    ) -> None:
        super().__init__(message, status=status, code=code, param=param)
        self.outcome = outcome
        self.retry_after = retry_after
        self.is_page = is_page

    @property
    def is_passing(self) -> bool:
        """Whether the same call may succeed a little later."""
        return self.code in ("timeout", "connection_lost", "unreachable") or (
            self.status is not None and (self.status in (*_OPEN, 429) or self.status >= 500)
        )

    @property
    def may_be_asked_again(self) -> bool:
        """Whether looking again later may succeed, also where something between answered.

        A gateway's or a login page says nothing of the service, and a look costs nothing.
        """
        is_redirect = self.status is not None and 300 <= self.status < 400
        return self.is_passing or self.is_page or is_redirect or self.code == "not_compatible"


class Connection:
    """A target that can be called; close it, or use it in a with statement."""

    def __init__(self, target: Target, key: Key | None, *, read_s: float = _READ_S) -> None:
        if not target.is_complete:
            missing = ", ".join(f.label for f in target.address_fields)
            raise WrongUse(f"The address of {target.label} is not complete. Fill in: {missing}.")
        self.target = target
        self._key = key
        self._redactor = key.redactor if key else None
        self._read_s = read_s
        self._clients: dict[Any, Any] = {}

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every open line to the server."""
        while self._clients:
            self._clients.popitem()[1].close()

    def client(self, build: Callable[[Target, Key | None, float], _T]) -> _T:
        """Return the SDK client that build makes; the same one until the connection is closed."""
        if build not in self._clients:
            self._clients[build] = build(self.target, self._key, self._read_s)
        found: _T = self._clients[build]
        return found

    def call(
        self, wanted: type[_T], what: str, work: "Callable[[OpenAI], object]", *, retries: int = 0
    ) -> _T:
        """Run one call of OpenAI's protocol, which every service keeps for its chat; raises CallFailed."""
        return self.guarded(
            wanted, what, lambda: work(self.client(build_client).with_options(max_retries=retries))
        )

    def guarded(self, wanted: type[_T], what: str, work: Callable[[], object]) -> _T:
        """Run one call and return its answer, proved to be of the wanted type; raises CallFailed.

        Whatever comes back or goes wrong is cleared of the key here, and nowhere else.
        """
        failure: CuratorError
        try:
            answer = work()
            if self._redactor:
                answer = self._redactor.answer(answer)
            if isinstance(answer, wanted):
                return answer
            failure = self.not_compatible(what, answer)
        except CuratorError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - provider boundary
            failure = self._translate(error, what)
        failure.__context__ = failure.__cause__ = None
        if self._redactor:
            failure.args = self._redactor.answer(failure.args)
            for name in ("code", "param"):
                if isinstance(getattr(failure, name, None), str):
                    setattr(failure, name, self._redactor.text(getattr(failure, name)))
        raise failure

    def list_bounded(
        self,
        wanted: type[_T],
        what: str,
        fetch: "Callable[[OpenAI, dict[str, Any]], object]",
        *,
        max_pages: int = _MAX_PAGES,
        page_size: int = _PAGE_SIZE,
        stop: Callable[[_T], bool] = lambda _: False,
    ) -> Listing[_T]:
        """Read pages until the last one, a known id (stop), a repeated id or the cap, whichever is first.

        Servers exist that ignore ``after`` and leave out has_more: plain iteration would never end.
        """
        found: dict[str, _T] = {}
        more: dict[str, Any] = {"limit": page_size}
        for _ in range(max_pages):
            page = self.call(object, what, lambda sdk, more=dict(more): fetch(sdk, more))  # type: ignore[misc]
            items = [item for item in self._items(page, what) if isinstance(item, wanted)]
            fresh = [item for item in items if _id(item) and _id(item) not in found]
            found |= {_id(item): item for item in fresh}
            # The whole page all the same: servers exist whose order is not quite that of time.
            if any(map(stop, fresh)):
                return Listing(tuple(found.values()), complete=True)
            if getattr(page, "has_more", None) is False or not items:
                return Listing(tuple(found.values()), complete=True)
            if not fresh:
                # The page repeats itself: the server ignores "after", so this is all it ever shows.
                return Listing(tuple(found.values()), complete=len(items) < page_size)
            more["after"] = _id(items[-1])
        return Listing(tuple(found.values()), complete=False)

    def clear(self, text: str) -> str:
        """Return a text without the key; needed only where it is cut short before it comes back."""
        return self._redactor.text(text) if self._redactor else text

    def piecewise(self) -> PiecewiseRedactor:
        """Return what clears a text that comes in pieces, such as a streamed reply."""
        return PiecewiseRedactor(self._redactor)

    def cleared(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield a download without the key in it; nothing else of it moves."""
        return self._redactor.stream(pieces) if self._redactor else pieces

    def _items(self, page: object, what: str) -> Iterator[object]:
        data = getattr(page, "data", None)
        if not isinstance(data, list):
            raise self.not_compatible(what, page)
        return iter(data)

    def _where(self) -> str:
        return f"{self.target.label} ({host_of(self.target.url)})"

    def not_compatible(self, what: str, answer: object) -> CallFailed:
        """Return the error for an answer that is not of the protocol, such as a web page."""
        text = answer if isinstance(answer, str) else ""
        shown = "a web page" if "<" in text[:200] else f"something else ({type(answer).__name__})"
        return CallFailed(
            f"{self._where()} sent {shown} while {what}: this is not an OpenAI-compatible answer. "
            "Check the base URL; it usually ends in /v1.",
            outcome="unclear",
            code="not_compatible",
        )

    def _translate(self, error: Exception, what: str) -> CallFailed:
        # By name: the services' own SDKs are made by the same generator and share these.
        kinds = {kind.__name__ for kind in type(error).__mro__}
        if "APIStatusError" in kinds:
            return self._refused(error, what)
        if "APITimeoutError" in kinds or "TimeoutException" in kinds:
            outcome: Outcome = "not_sent" if _never_sent(error) else "unclear"
            return CallFailed(
                f"{self._where()} did not answer in time while {what}.",
                outcome=outcome,
                code="timeout",
            )
        if "APIConnectionError" in kinds or "TransportError" in kinds:
            return self._not_reached(error, what)
        if isinstance(error, _BROKEN_ANSWER) or "APIError" in kinds:
            return CallFailed(
                f"{self._where()} sent something that is no JSON of the protocol while {what}: this "
                "is not an OpenAI-compatible answer. Check the base URL.",
                outcome="unclear",
                code="not_compatible",
            )
        reason = self.clear(f"{type(error).__name__}: {error}")[:300]
        return CallFailed(f"{self._where()} failed while {what}: {reason}.", outcome="unclear")

    def _not_reached(self, error: Exception, what: str) -> CallFailed:
        cause = error.__cause__ or error
        reason = self.clear(str(cause) or type(cause).__name__)[:200]
        if _never_sent(error):
            proxy = "" if is_loopback(self.target.url) else " Check the address, network and proxy."
            return CallFailed(
                f"{self._where()} cannot be reached: {reason}.{proxy}",
                outcome="not_sent",
                code="unreachable",
            )
        return CallFailed(
            f"The connection to {self._where()} broke while {what}: {reason}.",
            outcome="unclear",
            code="connection_lost",
        )

    def _refused(self, error: Any, what: str) -> CallFailed:
        status = int(error.status_code)
        reason = self.clear(_error_text(error))[:400]
        unclear = status in _OPEN or status >= 500
        return CallFailed(
            self._refusal_sentence(status, reason, what, _field(error, "code")),
            outcome="unclear" if unclear else "refused",
            status=status,
            code=_field(error, "code") or None,
            param=_field(error, "param") or None,
            retry_after=_retry_after(error),
            is_page=isinstance(error.body, str) and "<" in error.body[:200],
        )

    def _refusal_sentence(self, status: int, reason: str, what: str, code: str) -> str:
        where = self._where()
        quoted = f' It says: "{reason}"' if reason else ""
        if status in range(300, 400):
            return f"{where} points to another address while {what}. Enter that address instead."
        if status == 401:
            return f"{where} does not accept the API key.{quoted} Store a valid key."
        if status == 403:
            end = self.target.end_of_life
            note = f" {end.note}" if end and end.note else ""
            return f"{where} does not allow {what}.{note}{quoted}"
        if status == 404 and "fine-tuning" in what:
            return f"{where} has no fine-tuning API at this address.{quoted}"
        if status == 404:
            return f"{where} does not know what was asked for while {what}.{quoted}"
        if status == 429 and code == "insufficient_quota":
            return f"The account at {where} has no credit left.{quoted}"
        if status == 429:
            return f"{where} asks to slow down (429) while {what}.{quoted}"
        if status >= 500:
            return f"{where} had an error of its own ({status}) while {what}.{quoted}"
        return f"{where} refused ({status}) {what}.{quoted}"


def connect(target: Target, *, read_s: float = _READ_S) -> Connection:
    """Return a connection with the target's key; raises TargetError where the key is missing.

    This computer's own server is started where it does not run yet.
    """
    if target.protocol == "local":
        target = with_local_address(target, _local_server())
    return Connection(target, need_key(target), read_s=read_s)


def _local_server() -> str:
    from curator.tune.local.server.service import (
        ensure_running,
    )  # the web server's packages: only when wanted

    return ensure_running()


def _never_sent(error: BaseException) -> bool:
    cause = error.__cause__ or error
    return type(cause).__name__ in ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError")


def _error_text(error: Any) -> str:
    """Return a server's reason for a refusal, as plain text."""
    body = error.body
    inner = body.get("error") if isinstance(body, dict) else None
    body = inner or body
    reason = body.get("message") or body.get("detail") if isinstance(body, dict) else body
    text = str(reason or "").strip()
    if "<" in text[:100]:
        text = re.sub(r"<[^>]*>", " ", text)
    return " ".join(text.split())


def _field(error: Any, name: str) -> str:
    """Return a field of an error that only OpenAI's SDK reads from the body by itself."""
    found = getattr(error, name, None)
    if not found and isinstance(error.body, dict):
        inner = error.body.get("error")
        found = (inner if isinstance(inner, dict) else error.body).get(name)
    return str(found) if isinstance(found, (str, int)) and found else ""


def _retry_after(error: Any) -> float | None:
    """Return for how many seconds a server asks to wait, given as a number or as a date; at most an hour."""
    value = error.response.headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return None if math.isnan(seconds) else min(_LONGEST_WAIT_S, max(0.0, seconds))


def _id(item: object) -> str:
    value = getattr(item, "id", None)
    return value if isinstance(value, str) else ""
