"""The state a paused or killed job continues from: safetensors and JSON, never pickle."""

import json
import shutil
from pathlib import Path
from typing import Any

from curator.tune.local.job_folders import read_json


def save(folder: Path, network: Any, optimizer: Any, progress: dict[str, Any]) -> None:
    """Write weights that are trained, the optimizer's memory, the random state and the progress.

    The new state replaces the old one by one rename: a crash leaves the old or the new, never a mix.
    """
    import torch
    from safetensors.torch import save_file

    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    weights = {n: p.detach().contiguous() for n, p in network.named_parameters() if p.requires_grad}
    save_file(weights, fresh / "weights.safetensors")
    tensors = {"random": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors["random_of_card"] = torch.cuda.get_rng_state()
    numbers: dict[str, float] = {}
    for index, memory in optimizer.state_dict()["state"].items():
        for name, value in memory.items():
            if isinstance(value, torch.Tensor):
                tensors[f"{index}.{name}"] = value.contiguous()
            else:
                numbers[f"{index}.{name}"] = value
    save_file(tensors, fresh / "optimizer.safetensors")
    (fresh / "progress.json").write_text(json.dumps({**progress, "numbers": numbers}), "utf-8")
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def load(folder: Path, network: Any, optimizer: Any) -> dict[str, Any] | None:
    """Restore a saved state into the network and the optimizer; None where there is none."""
    import torch
    from safetensors.torch import load_file

    source = folder if folder.exists() else folder.with_name(folder.name + ".old")
    if not (source / "progress.json").is_file():
        return None
    progress = read_json(source / "progress.json", {"numbers": dict})
    weights = load_file(source / "weights.safetensors")
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(weights[name])
    tensors = load_file(source / "optimizer.safetensors")
    torch.set_rng_state(tensors.pop("random"))
    card = tensors.pop("random_of_card", None)
    if card is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(card)
    state: dict[int, dict[str, Any]] = {}
    for key, value in {**tensors, **progress.pop("numbers")}.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    whole = optimizer.state_dict()
    optimizer.load_state_dict({**whole, "state": state})
    return progress
