"""Why a job broke down, in words a person can act on: memory, disk, or a bug."""

import errno
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CODE: Final = re.compile(r"\(os error (\d+)\)")
_MEMORY_WORDS: Final = ("can't allocate memory", "not enough memory", "out of memory")
# A file that is only there to be deleted: on a full disk its space holds why the job failed.
_RESERVE: Final = "reserve"
_RESERVED: Final = 256 * 1024


class JobRefused(ValueError):
    """A job cannot start; code and param are what the API reports, refused the lines at fault."""

    def __init__(
        self, message: str, code: str, param: str | None, refused: Sequence["Refused"] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
        self.refused = tuple(refused)


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that cannot be trained on, and why."""

    line: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return the entry as it stands in the job's event."""
        return {"line": self.line, "reason": self.reason}


def reserve(job: Path) -> None:
    """Reserve some space on the disk, so that a job can still write its error once it is full."""
    (job / _RESERVE).write_bytes(b"\0" * _RESERVED)


def release(job: Path) -> None:
    """Free the reserved space."""
    (job / _RESERVE).unlink(missing_ok=True)


def reason(error: BaseException, smaller: str) -> tuple[str, str, str | None]:
    """Return message, code and parameter for what ended a job; smaller is a setting that needs less."""
    if isinstance(error, JobRefused):
        return str(error), error.code, error.param
    if is_out_of_memory(error):
        return out_of_memory(smaller)
    if is_disk_full(error):
        return (
            "The disk is full, so the job stopped; nothing that was saved is lost. Make room and "
            "resume the job: it goes on after the last finished epoch.",
            "disk_full",
            None,
        )
    return f"The job failed: {type(error).__name__}: {error}", "internal_error", None


def refuse_overflow(step: int, *numbers: float) -> None:
    """Raise JobRefused where a loss or the norm of a gradient is infinite or no number.

    Every later step would only spread it over the weights, and the job would end as if it had learned.
    """
    if all(map(math.isfinite, numbers)):
        return
    raise JobRefused(
        f"Training broke off at step {step}: the loss or its gradient is no finite number any more. "
        "Start again with a smaller learning rate; checkpoints of earlier epochs are whole.",
        "not_finite",
        "learning_rate",
    )


def out_of_memory(smaller: str) -> tuple[str, str, str]:
    """Return the words for a job that needed more memory than there was."""
    advice = f"Try {smaller}." if smaller else "Take a smaller base or shorter conversations."
    return f"This computer ran out of memory. {advice}", "out_of_memory", "batch_size"


def is_disk_full(error: BaseException) -> bool:
    """Tell whether a write failed for want of room; safetensors says it in its text only."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    found = _CODE.search(str(error))
    return found is not None and int(found[1]) in _FULL


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out, by the type or by the words torch uses for it."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(w in words for w in _MEMORY_WORDS)
    )


def memory_kills() -> int:
    """Return how many processes the system has stopped for want of memory; 0 where it does not say."""
    for path in (Path("/sys/fs/cgroup/memory.events"), Path("/proc/vmstat")):
        try:
            counts: dict[str, Any] = dict(
                line.split(" ", 1) for line in path.read_text("utf-8").splitlines()
            )
            return int(counts["oom_kill"])
        except (OSError, ValueError, KeyError):
            continue
    return 0
