"""Services with an SDK of their own, each behind the part of OpenAI's client that this room calls.

So there is one way to upload, to create exactly once, to follow and to ask, whatever the service; what
differs stands in one file for each. The SDKs are extras: they are imported when a target is called.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from curator.dataset.errors import TargetError
from curator.tune.targets.addresses import is_loopback, root_of

if TYPE_CHECKING:
    from openai import OpenAI

    from curator.tune.targets.profiles import Target

PACKAGES: Final = {"together": "together>=3.1"}
"""What pip is asked for where a service's own SDK is missing, by protocol."""

_CHAT: Final = {"together": "/v1"}


def chat_address(target: "Target") -> str:
    """Return where the service's chat is, which keeps OpenAI's protocol whatever its training does."""
    return root_of(target.url) + _CHAT[target.protocol]


def own_client(
    target: "Target",
    secret: str,
    chat: "OpenAI",
    *,
    read_s: float,
    connect_s: float,
    hook: Callable[[Any], None],
) -> Any:
    """Return a client of a service with its own SDK; raises TargetError where that is not installed."""
    try:
        import httpx

        http = httpx.Client(
            trust_env=not is_loopback(target.url),
            follow_redirects=False,
            timeout=httpx.Timeout(read_s, connect=connect_s),
            event_hooks={"request": [hook]},
        )
        from curator.tune.services.together import TogetherClient

        return TogetherClient.build(target, secret, http, chat)
    except ImportError:
        pass
    raise TargetError(
        f"{target.label} is spoken to by its own package, which is not installed. Install it into "
        f'Curator\'s environment with: python -m pip install "{PACKAGES[target.protocol]}"',
        code="sdk_missing",
    )
