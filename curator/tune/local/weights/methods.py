"""What is trained: an adapter, a soft prompt, or all weights with smaller rates for deeper layers."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curator.tune.local.options import TrainingOptions
from curator.tune.local.weights import vocabulary


def prepare(weights: Any, options: TrainingOptions, new_rows: Sequence[int] = ()) -> Any:
    """Wrap a loaded base so that only what the method trains requires gradients.

    new_rows are the tokens added for this job: with an adapter, their rows of the embedding learn too.

    New weights come from the seed alone: the same job makes the same adapter.
    """
    import torch

    torch.manual_seed(options.seed)
    if options.checkpointing:
        weights.gradient_checkpointing_enable(
            gradient_checkpointing_kwargs={"use_reentrant": False}
        )
        weights.enable_input_require_grads()
    weights.config.use_cache = False
    if options.method == "prompt":
        return _with_prompt(weights, options)
    if options.method in ("lora", "qlora"):
        network = _with_adapter(weights, options, new_rows)
        keep_learnable(network)
        return network
    return weights


def keep_learnable(network: Any) -> None:
    """Keep 4-bit layers from repacking themselves for inference on processors with AVX512-BF16.

    A pass without gradients (the validation of an epoch) would repack their weights, and later steps
    would then go through an operation without a derivative: the loss looks right, and the gradients
    are missing or wrong.
    """
    for module in network.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def _with_adapter(weights: Any, options: TrainingOptions, new_rows: Sequence[int]) -> Any:
    from peft import LoraConfig, get_peft_model

    return get_peft_model(
        weights,
        LoraConfig(
            r=options.rank,
            lora_alpha=options.alpha,
            lora_dropout=options.dropout,
            target_modules="all-linear",
            trainable_token_indices=list(new_rows) or None,
            task_type="CAUSAL_LM",
        ),
    )


def _with_prompt(weights: Any, options: TrainingOptions) -> Any:
    from peft import PromptTuningConfig, get_peft_model

    return get_peft_model(
        weights,
        PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=options.virtual_tokens),
    )


def parameter_groups(network: Any, options: TrainingOptions) -> list[dict[str, Any]]:
    """Return optimizer groups: one rate for adapters; layer by layer for full fine-tuning.

    Layer-wise decay: a parameter of layer d of L learns at rate * decay ** (L - d), the embedding at
    decay ** (L + 1) (Howard and Ruder 2018, discriminative fine-tuning). One-dimensional parameters
    (norms, biases) get no weight decay.
    """
    layers = getattr(getattr(network, "config", None), "num_hidden_layers", 0)
    groups: dict[tuple[float, float], dict[str, Any]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = options.learning_rate
        if options.method == "full":
            rate *= options.layer_decay ** (layers - _depth(name, layers))
        decay = 0.0 if parameter.ndim < 2 else options.weight_decay
        group = groups.setdefault((rate, decay), {"params": [], "lr": rate, "weight_decay": decay})
        group["params"].append(parameter)
    return list(groups.values())


def _depth(name: str, layers: int) -> int:
    """Return how far up a parameter sits: -1 for the embedding, the number of layers above all."""
    match = re.search(r"\.layers\.(\d+)\.", name)
    if match:
        return int(match[1])
    return -1 if "embed" in name else layers


def optimizer(network: Any, options: TrainingOptions) -> Any:
    """Build the chosen optimizer over the parameter groups."""
    import torch

    groups = parameter_groups(network, options)
    if options.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=options.learning_rate, momentum=0.9)
    kinds = {
        "adamw": torch.optim.AdamW,
        "adagrad": torch.optim.Adagrad,
        "adafactor": torch.optim.Adafactor,
    }
    return kinds[options.optimizer](groups, lr=options.learning_rate)


def save(network: Any, folder: Path, added_tokens: Sequence[str] = ()) -> None:
    """Write what was trained as safetensors: the adapter, the prompt, or the whole checkpoint.

    The folder gets its name when all is written: a full disk leaves no half checkpoint.
    """
    fresh = folder.with_name(f"new-{folder.name}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        if hasattr(network, "peft_config"):
            # Of the embedding only the new rows are kept; all of it would be many times the adapter.
            network.save_pretrained(fresh, safe_serialization=True, save_embedding_layers=False)
        else:
            network.save_pretrained(fresh, safe_serialization=True)
        vocabulary.remember(fresh, added_tokens)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def load(weights: Any, folder: Path) -> Any:
    """Put a saved adapter or prompt on a loaded base, for replies."""
    from peft import PeftModel

    return PeftModel.from_pretrained(weights, folder, is_trainable=False)
