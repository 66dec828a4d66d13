"""Moments as the window writes them."""

from datetime import UTC, datetime, timedelta

from PySide6.QtCore import QCoreApplication


def local_time(seconds: float, form: str = "%Y-%m-%d %H:%M") -> str:
    """Write a moment in local time, year first so that it sorts and reads the same in every country.

    seconds since 1970; empty for none.
    """
    return _local(seconds).strftime(form) if seconds > 0 else ""


def time_ago(seconds: float) -> str:
    """Write how long ago a moment was, and its day where that is more than one: "3 h", "11-28", "2025-11"."""
    moment, now = _local(seconds), datetime.now(UTC).astimezone()
    passed = now - moment
    if passed < timedelta(minutes=1):
        return _tr("now")
    if passed < timedelta(hours=1):
        return _tr("{0} min").format(int(passed.total_seconds() // 60))
    if passed < timedelta(days=1):
        return _tr("{0} h").format(int(passed.total_seconds() // 3_600))
    return moment.strftime("%m-%d" if moment.year == now.year else "%Y-%m")


def _local(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone()


def _tr(words: str) -> str:
    return QCoreApplication.translate("dates", words)
