"""The processes that share one job: alone on this computer, or several started by torchrun.

Gradients are added up by hand, once a step: every process takes part in every sum, also one whose
share of a small batch is empty.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

_T = TypeVar("_T")


def leads() -> bool:
    """Tell whether this process writes what happened; the others only count."""
    return int(os.environ.get("RANK", "0")) == 0


class Team:
    """This process among those of its job."""

    def __init__(self, kind: str = "cpu") -> None:
        from accelerate import PartialState

        state = PartialState(cpu=kind == "cpu")
        self.rank = int(state.process_index)
        self.size = int(state.num_processes)
        self.device = state.device
        self.leads = self.rank == 0

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

    def agree(self, ask: Callable[[], str]) -> str:
        """Return what the leading process was answered."""
        answer = ask() if self.leads else ""
        if self.size == 1:
            return answer
        import torch

        said = [answer]
        torch.distributed.broadcast_object_list(said, src=0)
        return said[0]
