"""The SDK's client for one target: where it sends, with which key and headers, and through no detour."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from curator.tune.services import PACKAGES, chat_address, own_client
from curator.tune.targets.addresses import host_of, is_loopback
from curator.tune.targets.keys import Key
from curator.tune.targets.profiles import Target

if TYPE_CHECKING:
    from openai import OpenAI

_OPENAI_HOST: Final = "api.openai.com"
_CONNECT_S: Final = 10.0


def build_client(target: Target, key: Key | None, read_s: float) -> "OpenAI":
    """Return a client of a target, whichever SDK speaks to it; nothing is sent yet."""
    from openai import DefaultHttpxClient, Timeout

    timeout = Timeout(read_s, connect=min(_CONNECT_S, read_s))
    http = DefaultHttpxClient(
        # A proxy must never come between this program and a server on the same computer.
        trust_env=not is_loopback(target.url),
        # Training data and keys go to the address that was shown, and nowhere else.
        follow_redirects=False,
        timeout=timeout,
        event_hooks={"request": [_strip_foreign_headers(target)]},
    )
    secret = key.reveal() if key else "none"
    if target.protocol not in PACKAGES:
        return _openai_client(target, secret, http)
    chat = _openai_client(
        target.model_copy(update={"base_url": chat_address(target)}), secret, http
    )
    hook = _strip_foreign_headers(target)
    connect_s = min(_CONNECT_S, read_s)
    found = own_client(target, secret, chat, read_s=read_s, connect_s=connect_s, hook=hook)
    return cast("OpenAI", found)


def _openai_client(target: Target, secret: str, http: Any) -> "OpenAI":
    from openai import OpenAI

    # Said outright, so that no Authorization of OPENAI_CUSTOM_HEADERS takes its place.
    headers = {**target.headers, "Authorization": f"Bearer {secret}"}
    if target.auth == "api-key":
        headers[target.key_header] = secret
    client = OpenAI(
        api_key=secret,
        base_url=target.url,
        timeout=http.timeout,
        max_retries=0,
        default_headers=headers,
        default_query=target.parameters,
        http_client=http,
    )
    client.admin_api_key = None
    return client


def _strip_foreign_headers(target: Target) -> Callable[[Any], None]:
    """Return a hook that keeps what the environment says of OpenAI away from everybody else.

    The SDK adds OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS to every server.
    """
    meant_for_openai = host_of(target.url) == _OPENAI_HOST
    ambient = os.environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines()
    named = {line.partition(":")[0].strip().lower() for line in ambient}
    named -= {"authorization", *(name.lower() for name in target.headers), ""}
    foreign = {"openai-organization", "openai-project", *named}

    def strip(request: Any) -> None:
        if target.auth != "bearer":
            request.headers.pop("authorization", None)
        if not meant_for_openai:
            for name in foreign:
                request.headers.pop(name, None)

    return strip
