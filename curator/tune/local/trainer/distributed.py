"""The processes that share one job: alone on this computer, or several started by torchrun.

Gradients are added up by hand, once a step: every process takes part in every sum, also one whose
share of a small batch is empty.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

_T = TypeVar("_T")


def is_main_process() -> bool:
    """Return whether this process writes logs and files; the others only compute."""
    return int(os.environ.get("RANK", "0")) == 0


class ProcessGroup:
    """The processes of a job, seen from one of them; PartialState of accelerate sets them up."""

    def __init__(self, kind: str = "cpu") -> None:
        from accelerate import PartialState

        state = PartialState(cpu=kind == "cpu")
        self.rank = int(state.process_index)
        self.size = int(state.num_processes)
        self.device = state.device
        self.is_main_process = self.rank == 0

    def share(self, items: Sequence[_T]) -> Sequence[_T]:
        """Return the items that are this process's."""
        return items[self.rank :: self.size]

    def add_gradients(self, parameters: Sequence[Any]) -> None:
        """Give every process the sum of all processes' gradients."""
        if self.size == 1:
            return
        import torch

        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            torch.distributed.all_reduce(parameter.grad)

    def add(self, sums: Mapping[str, float]) -> dict[str, float]:
        """Return the sums over all processes."""
        if self.size == 1:
            return dict(sums)
        import torch

        kind = torch.float32 if self.device.type == "mps" else torch.float64
        whole = torch.tensor(list(sums.values()), dtype=kind, device=self.device)
        torch.distributed.all_reduce(whole)
        return dict(zip(sums, whole.tolist(), strict=True))

    def broadcast(self, ask: Callable[[], str]) -> str:
        """Return the main process's answer in every process; only the main process asks."""
        answer = ask() if self.is_main_process else ""
        if self.size == 1:
            return answer
        import torch

        answers = [answer]
        torch.distributed.broadcast_object_list(answers, src=0)
        return answers[0]
