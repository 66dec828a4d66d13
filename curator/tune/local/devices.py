"""Where a job computes: this computer's processor, or an NVIDIA card in the precision it is good at."""

import contextlib
import functools
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any, Final

from curator.dataset.counted import counted
from curator.tune.local.crash_reasons import JobRefused
from curator.tune.local.options import TrainingOptions

_PROBE_S: Final = 20.0
QLORA_MISSING: Final = (
    "qlora needs the package bitsandbytes beside the trainer; curator trainer --qlora adds it."
)
NEEDS_CARD: Final = (
    "qlora is meant for an NVIDIA card, and there is none here. On a processor it saves memory, not "
    "time, and learns a little less exactly; lora does the same work. To do it all the same, set "
    "four_bit_on_cpu on."
)


@functools.cache
def has_card() -> bool:
    """Tell, without torch, whether the driver of an NVIDIA card answers here."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    try:
        answer = subprocess.run(
            [tool, "-L"], capture_output=True, text=True, check=False, timeout=_PROBE_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and "GPU" in answer.stdout


@dataclass(frozen=True, slots=True)
class Device:
    """What computes one job, and whether it does so in 16 bits."""

    kind: str
    half: bool
    name: str = "this processor"

    @property
    def is_card(self) -> bool:
        """Whether an NVIDIA card computes."""
        return self.kind == "cuda"

    def free_memory(self) -> int:
        """Return the bytes that are free on the card."""
        import torch

        return int(torch.cuda.mem_get_info()[0])

    def peak_memory(self) -> int:
        """Return the most bytes that this process held on the card; 0 on a processor."""
        import torch

        return int(torch.cuda.max_memory_reserved()) if self.is_card else 0

    def computing(self) -> Any:
        """Return the context in which a network computes: in bf16 where that was chosen."""
        import torch

        if not self.half:
            return contextlib.nullcontext()
        return torch.autocast(self.kind, dtype=torch.bfloat16)

    def dtype(self, options: TrainingOptions) -> Any:
        """Return in what a base's weights are held: those that learn always in 32 bits."""
        import torch

        learns = options.method in ("full", "head") or bool(options.added_tokens)
        return torch.bfloat16 if self.half and not learns else torch.float32

    def place(self) -> Any:
        """Return where this process puts weights: the processor, or its card among several."""
        import torch

        return torch.cuda.current_device() if self.is_card else "cpu"


def choose(options: TrainingOptions) -> Device:
    """Return what a job computes with; runs in a worker. Raises JobRefused where it is not there."""
    import torch

    card = torch.cuda.is_available()
    if options.device == "cuda" and not card:
        raise JobRefused(
            "This job asks for an NVIDIA card (device cuda), and torch finds none here. Set device "
            "to auto, or install the CUDA build: curator trainer --install --build cuda.",
            "no_device",
            "device",
        )
    kind = "cuda" if card and options.device != "cpu" else "cpu"
    if options.method == "qlora":
        _check_four_bits(kind, options)
    if kind == "cpu":
        return Device("cpu", half=options.precision == "bf16")
    _take_card(torch.cuda.device_count())
    _make_repeatable()
    able = torch.cuda.is_bf16_supported(including_emulation=False)
    half = able if options.precision == "auto" else options.precision == "bf16"
    return Device("cuda", half=half, name=torch.cuda.get_device_name())


def _take_card(cards: int) -> None:
    """Choose this process's card; raises JobRefused where there are more processes than cards."""
    import torch

    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if processes > cards:
        raise JobRefused(
            f"{counted(processes, 'process was', 'processes were')} started for "
            f"{counted(cards, 'NVIDIA card')}; start one for each card, or set device to cpu.",
            "no_device",
            "device",
        )
    torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))


def _check_four_bits(kind: str, options: TrainingOptions) -> None:
    import importlib.util

    if kind == "cpu" and not options.four_bit_on_cpu:
        raise JobRefused(NEEDS_CARD, "no_device", "method")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise JobRefused(QLORA_MISSING, "qlora_missing", "method")


def _make_repeatable() -> None:
    """Choose sums whose order is fixed, so that a job that goes on ends as it would have."""
    import torch

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(mode=True)


def give_up_repeating(error: Exception) -> bool:
    """Allow sums in any order where a base needs one that has no other; False for another error."""
    import torch

    if "deterministic implementation" not in str(error) or not (
        torch.are_deterministic_algorithms_enabled()
    ):
        return False
    torch.use_deterministic_algorithms(mode=False)
    return True
