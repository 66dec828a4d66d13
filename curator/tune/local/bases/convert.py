"""Turn a GGUF file of the llama architecture into a folder of safetensors; runs in the trainer only.

``python -m curator.tune.local.bases.convert FILE.gguf FOLDER`` prints one JSON object a line: how far it
is, or an error in words.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any


class FileRefused(Exception):
    """A GGUF file cannot become a base; the text says why."""


def main(arguments: list[str]) -> int:
    """Convert a file; the exit code is 1 where it cannot be done."""
    try:
        check(Path(arguments[0]))
        convert(Path(arguments[0]), Path(arguments[1]))
    except FileRefused as error:
        _say(error=str(error))
        return 1
    return 0


def _say(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def check(weights: Path) -> None:
    """Raise FileRefused where a file is no GGUF of the llama architecture, or has no chat template."""
    from gguf import GGUFReader

    try:
        known = GGUFReader(weights).fields
        architecture = str(known["general.architecture"].contents())
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise FileRefused(f"{weights.name} is no whole GGUF file ({error}).") from error
    if architecture != "llama":
        raise FileRefused(
            f"{weights.name} is of the architecture {architecture}; only llama can be converted. "
            "Take the base's folder of safetensors files instead."
        )
    if "tokenizer.chat_template" not in known:
        raise FileRefused(f"{weights.name} has no chat template, so it cannot learn conversations.")


def convert(weights: Path, folder: Path) -> None:
    """Write config, tokenizer and 32-bit weights of a GGUF file into a new folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".alone-") as alone:
        # Another tokenizer beside the file would be taken in place of the file's own.
        _convert(put_beside(weights, Path(alone)), folder)


def put_beside(file: Path, folder: Path) -> Path:
    """Let a file stand in another folder too, without taking room twice where that can be."""
    place = folder / file.name
    for way in (os.link, os.symlink, shutil.copyfile):
        try:
            way(file, place)
        except OSError:
            continue
        return place
    raise FileRefused(f"{file.name} cannot be put into {folder}.")


def _convert(weights: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    origin = {"gguf_file": weights.name, "local_files_only": True}
    _say(done=0, total=3, what="Reading the tokenizer")
    tokenizer = AutoTokenizer.from_pretrained(weights.parent, **origin)
    _say(done=1, total=3, what="Unpacking the weights")
    # Without dequantize the checkpoint loads but refuses to be saved.
    network = AutoModelForCausalLM.from_pretrained(
        weights.parent,
        dtype=torch.float32,
        quantization_config=GgufConfig(dequantize=True),
        **origin,
    )
    _say(done=2, total=3, what="Writing the folder")
    network.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    _say(done=3, total=3, what="Done")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
