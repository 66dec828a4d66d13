"""Moments as the window writes them."""

from datetime import UTC, datetime


def local_time(seconds: float) -> str:
    """Write a moment in local time, year first so that it sorts and reads the same in every country.

    seconds since 1970; empty for none.
    """
    if seconds <= 0:
        return ""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
