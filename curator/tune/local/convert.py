"""Turn a GGUF file of the llama architecture into a folder of safetensors; runs in the trainer only.

``python -m curator.tune.local.convert FILE.gguf FOLDER``
"""

import sys
from pathlib import Path


def convert(weights: Path, folder: Path) -> None:
    """Write config, tokenizer and 32-bit weights of a GGUF file into a new folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    # Without dequantize the checkpoint loads but refuses to be saved.
    network = AutoModelForCausalLM.from_pretrained(
        weights.parent,
        gguf_file=weights.name,
        dtype=torch.float32,
        quantization_config=GgufConfig(dequantize=True),
        local_files_only=True,
    )
    tokenizer = AutoTokenizer.from_pretrained(
        weights.parent, gguf_file=weights.name, local_files_only=True
    )
    network.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
