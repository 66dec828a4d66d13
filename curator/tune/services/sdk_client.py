"""The SDK's client for one target: where it sends, with which key and headers, and through no detour.

A service's own SDK is an extra: it is imported when a target of its protocol is called.
"""

import importlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from curator.dataset.errors import TargetError
from curator.tune.targets.addresses import host_of, is_loopback, root_of
from curator.tune.targets.keys import Key
from curator.tune.targets.profiles import Target

if TYPE_CHECKING:
    from openai import OpenAI

_OPENAI_HOST: Final = "api.openai.com"
_CONNECT_S: Final = 10.0
PACKAGES: Final = {"together": "together>=3.1"}
"""What pip is asked for where a service's own SDK is missing, by protocol."""


def build_client(target: Target, key: Key | None, read_s: float) -> "OpenAI":
    """Return a client of OpenAI's protocol, which every service keeps for its chat; nothing is sent yet.

    Raises TargetError where the SDK that the target's training needs is not installed.
    """
    from openai import DefaultHttpxClient, Timeout

    need_sdk(target)
    secret = key.reveal() if key else "none"
    http = DefaultHttpxClient(**http_options(target, read_s, Timeout))
    root = root_of(target.url)
    address = f"{root}/v1" if target.protocol in PACKAGES else target.url
    return _openai_client(target.model_copy(update={"base_url": address}), secret, http)


def need_sdk(target: Target) -> None:
    """Raise TargetError, with the way to get it, where the SDK of a target's service is not installed."""
    package = PACKAGES.get(target.protocol)
    if package is None:
        return
    try:
        importlib.import_module(target.protocol)
    except ImportError:
        pass
    else:
        return
    raise TargetError(
        f"{target.label} needs its own package, which is not installed. Install it into "
        f'Curator\'s environment with: python -m pip install "{package}"',
        code="sdk_missing",
    )


def http_options(target: Target, read_s: float, timeout: Callable[..., object]) -> dict[str, Any]:
    """Return how every SDK's HTTP client is to be made, so that none takes a detour.

    timeout is the class of the SDK's own HTTP library: not all SDKs use the same one.
    """
    return {
        # A proxy must never come between this program and a server on the same computer.
        "trust_env": not is_loopback(target.url),
        # Training data and keys go to the address that was shown, and nowhere else.
        "follow_redirects": False,
        "timeout": timeout(read_s, connect=min(_CONNECT_S, read_s)),
        "event_hooks": {"request": [_strip_foreign_headers(target)]},
    }


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
