"""Asking a service whether it understands a grader: free, and before anything is uploaded."""

from collections.abc import Mapping
from typing import Any, Final

from curator.tune.services.adapters import service_of
from curator.tune.services.client import CallFailed, Connection

_NOT_OFFERED: Final = frozenset({404, 405, 501})


def ask_about_grader(connection: Connection, grader: Mapping[str, Any] | None) -> bool:
    """Let the service check a grader, if there is one; False where it offers no such check.

    Raises CallFailed where the service refuses the grader.
    """
    if grader is None or grader.get("type") == "lambda":
        return False
    try:
        service_of(connection).check_grader(grader)
    except CallFailed as error:
        if error.status in _NOT_OFFERED:
            return False
        raise
    return True
