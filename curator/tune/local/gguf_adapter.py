"""A trained adapter as a GGUF file, so that llama.cpp answers with it on the original weights; no torch.

Only for the llama architecture: the order of the query and key rows differs between the two formats
and is known for it alone.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from curator.tune.local.folders import read_json

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
    """Return the GGUF file a base was converted from, where it has one of the llama architecture."""
    files = sorted(base.glob("*.gguf"))
    if len(files) != 1 or read_json(base / "config.json").get("model_type") != "llama":
        return None
    return files[0]


def is_convertible(checkpoint: Path) -> bool:
    """Tell whether a checkpoint is an adapter of matrices alone, without words of its own."""
    config = checkpoint / "adapter_config.json"
    if not config.is_file():
        return False
    described = read_json(config)
    return described.get("peft_type") == "LORA" and not described.get("trainable_token_indices")


def converted(base: Path, checkpoint: Path) -> Path:
    """Return the checkpoint's GGUF file, written now where it is not there yet."""
    target = checkpoint / FILE
    if not target.is_file():
        fresh = checkpoint / f"new-{FILE}"
        _write(base, checkpoint, fresh)
        fresh.replace(target)
    return target


def _write(base: Path, checkpoint: Path, target: Path) -> None:
    import gguf
    from safetensors.numpy import load_file

    config = read_json(base / "config.json")
    described = json.loads((checkpoint / "adapter_config.json").read_text("utf-8"))
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
            values = _permuted(values, _heads(config, matrix))
        kind = f"lora_{side.lower()}"
        writer.add_tensor(f"blk.{layer}.{_NAMES[matrix]}.weight.{kind}", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _heads(config: dict[str, Any], matrix: str) -> int:
    heads = int(config["num_attention_heads"])
    return heads if matrix == "q_proj" else int(config.get("num_key_value_heads") or heads)


def _permuted(values: Any, heads: int) -> Any:
    """Return the rows in llama.cpp's order: it turns neighbours, transformers turns halves."""
    rows, rank = values.shape
    turned = values.reshape(heads, 2, rows // heads // 2, rank).swapaxes(1, 2)
    return turned.reshape(rows, rank).copy()
