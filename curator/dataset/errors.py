"""What an operation raises when it fails; trouble inside the user's data is a Finding, not an error.

CuratorError
├── UnreadableInput     a file or a line cannot be read
│   └── BrokenFile      a small file of ours is not what it should be
├── ProjectError        the project file: locked, too new, no project, disk full, read-only
│   └── StaleEdit       an edit no longer fits what is stored
├── GateFailed          checks stopped an export or a start
├── Cancelled           the user stopped the work
├── WrongUse            a wrong argument, unknown name or impossible combination
└── TargetError         a training service refused, failed or does not keep the protocol
"""

from pathlib import Path


class CuratorError(Exception):
    """A failed operation; its text says what happened, to what, and the way out."""

    kind = "error"


class UnreadableInput(CuratorError):
    """A file cannot be read; path and line (1-based) say where."""

    kind = "unreadable_input"

    def __init__(
        self, message: str, path: Path | str | None = None, line: int | None = None
    ) -> None:
        super().__init__(message)
        self.path = None if path is None else str(path)
        self.line = line


class BrokenFile(UnreadableInput):
    """A small file of this program is not what it should be; reason says why, path which."""

    def __init__(self, path: Path | str, reason: str, way_out: str = "") -> None:
        self.reason = reason
        said = f"{path} cannot be used: {reason}. {way_out or 'Fix it or remove it.'}"
        super().__init__(said, path)


class ProjectError(CuratorError):
    """The project file cannot be opened, read or written."""

    kind = "project"

    def __init__(self, message: str, path: Path | str | None = None) -> None:
        super().__init__(message)
        self.path = None if path is None else str(path)


class StaleEdit(ProjectError):
    """The state an edit started from is no longer there; nothing was changed."""

    kind = "stale_edit"


class GateFailed(CuratorError):
    """Checks stopped the work; the findings are in the project."""

    kind = "gate_failed"


class Cancelled(CuratorError):
    """The user stopped the work."""

    kind = "cancelled"


class WrongUse(CuratorError):
    """An argument is wrong, a name unknown or a combination impossible."""

    kind = "wrong_use"


class TargetError(CuratorError):
    """A training service refused, failed or does not speak the protocol.

    status is the HTTP status where there was one; code and param are the service's own words.
    """

    kind = "target"

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
