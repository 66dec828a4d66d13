"""Who may speak to the local server: the holder of the token, from this machine, not from a web page."""

import hmac
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from curator.tune.local.server.answers import ApiError

_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")


class Guard:
    """Refuses a wrong Host (DNS rebinding), any Origin (a browser's request) and a wrong token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer with the reason it is refused."""
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self.app(scope, receive, send)
        else:
            await refusal.response()(scope, receive, send)

    def _refusal(self, scope: Scope) -> ApiError | None:
        headers = {name.lower(): value for name, value in scope["headers"]}
        host = headers.get(b"host", b"").decode("latin-1")
        if host.rsplit(":", 1)[0] not in _HOSTS:
            return ApiError(403, f"This server answers on this machine only, not to {host!r}.")
        if b"origin" in headers:
            return ApiError(403, "Requests from web pages are refused.")
        given = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        if not hmac.compare_digest(given, self._token):
            return ApiError(401, "The token is missing or wrong.", code="invalid_api_key")
        return None
