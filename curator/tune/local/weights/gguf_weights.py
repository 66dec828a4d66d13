"""Whole weights of the llama architecture as a GGUF file; no torch.

The tiny base is written from its own folder; a base that was trained whole is written like the GGUF
file it came from, with its new weights in the places of the old ones.
"""

import contextlib
import importlib.util
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from curator.tune.local.job_folders import read_json

FILE: Final = "weights.gguf"
_NORMAL, _CONTROL = 1, 3


def permuted(values: Any, heads: int) -> Any:
    """Return the rows in llama.cpp's order: it turns neighbours, transformers turns halves."""
    rows, width = values.shape
    turned = values.reshape(heads, 2, rows // heads // 2, width).swapaxes(1, 2)
    return turned.reshape(rows, width).copy()


def heads_of(config: Mapping[str, Any], matrix: str) -> int:
    """Return how many heads the rows of q_proj or k_proj belong to."""
    heads = int(config["num_attention_heads"])
    return heads if matrix == "q_proj" else int(config.get("num_key_value_heads") or heads)


def give_tiny(folder: Path) -> None:
    """Write the tiny base's own file beside it, tokenizer and all, in the 32 bits it has.

    Nothing happens where it is there, or where the package gguf is not.
    """
    target = folder / FILE
    if target.is_file() or importlib.util.find_spec("gguf") is None:
        return
    with draft(target) as fresh:
        _write_tiny(folder, fresh)


@contextlib.contextmanager
def draft(target: Path) -> Iterator[Path]:
    """Give a file beside the target that takes its place when all is written, and goes away if not."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    try:
        yield Path(name)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


def _write_tiny(folder: Path, target: Path) -> None:
    import gguf

    config = read_json(folder / "config.json")
    writer = gguf.GGUFWriter(target, "llama")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(float(config["rope_parameters"]["rope_theta"]))
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    _add_tokenizer(writer, folder, config)
    for name, values in _renamed(folder, config).items():
        writer.add_tensor(name, values)
    close(writer)


def rewrite(origin: Path, checkpoint: Path, target: Path) -> None:
    """Write a checkpoint as the GGUF file of its base with other weights.

    Matrices get 16 bits, or 32 where the base has them. Raises ValueError where the weights do not
    stand in the places of the base's.
    """
    import gguf
    import numpy

    fresh = _renamed(checkpoint, read_json(checkpoint / "config.json"))
    fresh.setdefault("output.weight", fresh["token_embd.weight"])  # one table may serve both ends
    reader = gguf.GGUFReader(origin)
    writer = gguf.GGUFWriter(target, "llama")
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name != "general.architecture":
            kind, inner = field.types[0], field.types[1] if len(field.types) > 1 else None
            writer.add_key_value(name, field.contents(), kind, inner)
    for old in reader.tensors:
        values = fresh.pop(old.name, None)
        if values is None:
            writer.add_tensor(old.name, old.data, raw_dtype=old.tensor_type)
            continue
        if list(values.shape) != [int(size) for size in reversed(old.shape)]:
            raise ValueError(f"{old.name} has another shape than in the base")
        whole = old.tensor_type == gguf.GGMLQuantizationType.F32
        writer.add_tensor(old.name, values if whole else values.astype(numpy.float16))
    fresh.pop("output.weight", None)
    if fresh:
        raise ValueError(f"the base has no {min(fresh)}")
    close(writer)


def _renamed(folder: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a folder's weights by the names and in the order of rows that llama.cpp knows."""
    import gguf
    from safetensors.numpy import load_file

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, int(config["num_hidden_layers"]))
    found = {}
    for name, values in load_file(folder / "model.safetensors").items():
        known = names.get_name(name, try_suffixes=(".weight",))
        if known is None:
            raise ValueError(f"llama.cpp has no place for {name}")
        matrix = name.removesuffix(".weight").rsplit(".", 1)[-1]
        if matrix in ("q_proj", "k_proj"):
            values = permuted(values, heads_of(config, matrix))
        found[known] = values
    return found


def _add_tokenizer(writer: Any, folder: Path, config: Mapping[str, Any]) -> None:
    described = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    rows: dict[str, int] = described["model"]["vocab"]
    control = {entry["content"] for entry in described["added_tokens"] if entry["special"]}
    tokens = sorted(rows, key=rows.__getitem__)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([_CONTROL if token in control else _NORMAL for token in tokens])
    merges = [
        pair if isinstance(pair, str) else " ".join(pair) for pair in described["model"]["merges"]
    ]
    writer.add_token_merges(merges)
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_pad_token_id(config["pad_token_id"])
    writer.add_add_bos_token(value=False)
    writer.add_chat_template((folder / "chat_template.jinja").read_text("utf-8"))


def close(writer: Any) -> None:
    """Write what a writer was given, and close its file."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
