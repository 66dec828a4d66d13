"""Where the files that ship with the app lie: one answer for a checkout, a wheel and a bundle."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def resources_root() -> Path:
    """Return the folder that holds encodings, rules, targets, themes, icons and samples."""
    shipped = _PACKAGE / "resources"
    return shipped if shipped.is_dir() else _PACKAGE.parent / "resources"


def resource(*parts: str) -> Path:
    """Return the path of one shipped file, for example ``resource("encodings", "o200k_base.tiktoken")``."""
    return resources_root().joinpath(*parts)
