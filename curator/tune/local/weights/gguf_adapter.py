"""What llama.cpp reads of a base and of a checkpoint: GGUF files, written without torch.

An adapter becomes a small file of its own, so that base and tuned answer from the same weights; a
base that was trained whole becomes a file of whole weights. Only for the llama architecture: the
order of the query and key rows differs between the two formats and is known for it alone.
"""

import importlib.util
import re
from pathlib import Path
from typing import Final

from curator.tune.local.job_folders import is_adapter, is_head, read_json
from curator.tune.local.weights import gguf_weights, vocabulary

FILE: Final = "adapter.gguf"
_NAME: Final = re.compile(r"\.layers\.(\d+)\.(?:self_attn|mlp)\.(\w+)\.lora_([AB])\.weight$")
_NAMES: Final = {
    "q_proj": "attn_q",
    "k_proj": "attn_k",
    "v_proj": "attn_v",
    "o_proj": "attn_output",
    "gate_proj": "ffn_gate",
    "up_proj": "ffn_up",
    "down_proj": "ffn_down",
}


def weights_of(base: Path) -> Path | None:
    """Return the GGUF file of a base, where it has one of the llama architecture."""
    files = sorted(base.glob("*.gguf"))
    if len(files) != 1 or not _is_llama(base):
        return None
    return files[0]


def obstacle(base: Path, checkpoint: Path | None) -> str:
    """Return why llama.cpp cannot answer for a checkpoint, in a few words; empty where it can."""
    if weights_of(base) is None:
        return "the base is no GGUF file of the llama architecture"
    if checkpoint is None:
        return ""
    if is_head(checkpoint):
        return "a head gives labels, not words"
    if vocabulary.remembered(checkpoint):
        return "words were added to the base's own"
    if not is_adapter(checkpoint):
        whole = (checkpoint / "model.safetensors").is_file() and _is_llama(checkpoint)
        return "" if whole else "its weights lie in several files or are of another architecture"
    described = read_json(checkpoint / "adapter_config.json")
    if described.get("peft_type") != "LORA" or described.get("trainable_token_indices"):
        return "only adapters of matrices fit"
    return ""


def is_ready(checkpoint: Path) -> bool:
    """Tell whether the checkpoint's GGUF file is there, or can be written here."""
    return _place(checkpoint).is_file() or importlib.util.find_spec("gguf") is not None


def prepare(base: Path, checkpoint: Path) -> str:
    """Write a fresh checkpoint's GGUF file where it fits, and return one sentence on who can reply."""
    why = obstacle(base, checkpoint)
    if not why:
        try:
            converted(base, checkpoint)
        except (ValueError, OSError, ImportError) as error:
            why = str(error)
    return f"Replies will need torch: {why}." if why else "Replies will need no torch (llama.cpp)."


def converted(base: Path, checkpoint: Path) -> Path:
    """Return the checkpoint's GGUF file, written now where it is not there yet.

    Raises ValueError where its weights have no place in llama.cpp.
    """
    target = _place(checkpoint)
    if not target.is_file():
        with gguf_weights.draft(target) as fresh:
            if is_adapter(checkpoint):
                _write(base, checkpoint, fresh)
            else:
                gguf_weights.rewrite(_origin(base), checkpoint, fresh)
    return target


def _origin(base: Path) -> Path:
    origin = weights_of(base)
    if origin is None:
        raise ValueError(f"{base.name} has no GGUF file")
    return origin


def _place(checkpoint: Path) -> Path:
    return checkpoint / (FILE if is_adapter(checkpoint) else gguf_weights.FILE)


def _is_llama(folder: Path) -> bool:
    place = folder / "config.json"
    return place.is_file() and read_json(place).get("model_type") == "llama"


def _write(base: Path, checkpoint: Path, target: Path) -> None:
    import gguf
    from safetensors.numpy import load_file

    config = read_json(base / "config.json")
    described = read_json(checkpoint / "adapter_config.json")
    writer = gguf.GGUFWriter(target, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(described["lora_alpha"]))
    for name, values in load_file(checkpoint / "adapter_model.safetensors").items():
        match = _NAME.search(name)
        if match is None or match[2] not in _NAMES:
            raise ValueError(f"the adapter changes {name}, which llama.cpp cannot take")
        layer, matrix, side = match.groups()
        if side == "B" and matrix in ("q_proj", "k_proj"):
            values = gguf_weights.permuted(values, gguf_weights.heads_of(config, matrix))
        kind = f"lora_{side.lower()}"
        writer.add_tensor(f"blk.{layer}.{_NAMES[matrix]}.weight.{kind}", values)
    gguf_weights.close(writer)
