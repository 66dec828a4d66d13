"""The base models a local job can start from, and how a worker loads one."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from curator.dataset.errors import BrokenFile
from curator.dataset.resources import resource
from curator.dataset.small_files import checked, make_folder
from curator.tune.local.bases import checkpoint_bases, templates
from curator.tune.local.bases.base_folders import fault_of
from curator.tune.local.crash_reasons import is_out_of_memory
from curator.tune.local.job_folders import local_root, read_json
from curator.tune.local.weights import gguf_weights

TINY: Final = "tiny"
PRACTICE: Final = "practice"
_TINY_CONTEXT: Final = 1024
ORIGIN: Final = "origin.json"
"""The note in the folder of an added base: its name, and where it came from."""


_ORIGIN: Final = {"name": str, "label": str, "source": str}


class BaseUnusable(ValueError):
    """A base model is not there or cannot be loaded; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Base:
    """A base model on this computer."""

    name: str
    folder: Path
    label: str
    source: str = ""
    revision: str = ""
    family: str = ""
    """The first base a checkpoint came from, where the base is a checkpoint of this computer."""

    @property
    def is_tiny(self) -> bool:
        """Whether this is the built-in base made of random weights, or was trained from it."""
        return (self.family or self.name) == TINY

    @property
    def context(self) -> int:
        """How many tokens the base can read."""
        place = self.folder / "config.json"
        if self.is_tiny and not place.is_file():
            return _TINY_CONTEXT  # it is made when it is first used
        config = read_json(place)
        if not config.get("max_position_embeddings"):
            return 2048
        return int(
            checked(place, config, {"max_position_embeddings": int})["max_position_embeddings"]
        )


def known_bases(root: Path | None = None) -> tuple[Base, ...]:
    """Return the bases that can be used now: the tiny one, the practice one where fetched, the added."""
    home = (root or local_root()) / "bases"
    bases = [Base(TINY, home / TINY, "Tiny: random weights, for a first try in seconds")]
    if (home / PRACTICE / "config.json").is_file():
        bases.append(
            Base(
                PRACTICE, home / PRACTICE, "Practice: SmolLM2 135M, learns style and fixed answers"
            )
        )
    return (*bases, *_added(home))


def _added(home: Path) -> Iterator[Base]:
    """Yield the bases that somebody added, by their names."""
    for note in sorted(home.glob(f"*/{ORIGIN}")):
        try:
            origin = read_json(note, _ORIGIN)
        except BrokenFile:
            continue
        folder = Path(origin["folder"]) if origin.get("folder") else note.parent
        yield Base(
            origin["name"], folder, origin["label"], origin["source"], origin.get("revision") or ""
        )


def broken_bases(root: Path | None = None) -> tuple[BrokenFile, ...]:
    """Return what is wrong with the notes of added bases that therefore are not listed."""
    found = []
    for note in sorted(((root or local_root()) / "bases").glob(f"*/{ORIGIN}")):
        try:
            read_json(note, _ORIGIN)
        except BrokenFile as error:
            found.append(error)
    return tuple(found)


def find_base(name: str, root: Path | None = None) -> Base:
    """Return a base by name, by the folder of a Hugging Face checkpoint, or a checkpoint of this computer.

    Raises BaseUnusable.
    """
    for base in known_bases(root):
        if base.name == name:
            _renew_template(base)
            return base if base.is_tiny else _sound(base)
    started = _from_checkpoint(name, root or local_root())
    if started is not None:
        return started
    folder = Path(name).expanduser()
    if folder.is_absolute() or folder.is_dir():
        return _sound(Base(name, folder, f"Folder {folder.name}"))
    for fault in broken_bases(root):
        if Path(str(fault.path)).parent.name == name:
            raise BaseUnusable(str(fault))
    raise BaseUnusable(
        f"There is no base {name!r} here. Use tiny, practice (after fetching it), a folder that "
        "holds config.json, the weights as safetensors and the tokenizer, or add one: curator models "
        "add SOURCE."
    )


def _from_checkpoint(name: str, root: Path) -> Base | None:
    try:
        start = checkpoint_bases.find_start(name, root)
        if start is None:
            return None
        # Its own base is asked for only once: afterwards neither it nor the job need to be there.
        if not (start.folder / checkpoint_bases.NOTE).is_file():
            checkpoint_bases.lay_out(start, find_base(start.base, root).folder, root)
    except checkpoint_bases.StartRefused as error:
        raise BaseUnusable(str(error)) from error
    return Base(name, start.folder, f"Checkpoint {name}", family=start.family)


def _renew_template(base: Base) -> None:
    """Give a base that came with an earlier version of the program the template of this one."""
    shipped = {TINY: templates.TINY, PRACTICE: templates.PRACTICE}.get(base.name)
    if shipped and (base.folder / "tokenizer.json").is_file():
        templates.give(base.folder, shipped)


def _sound(base: Base) -> Base:
    """Return a base whose folder is whole; raises BaseUnusable."""
    fault = fault_of(base.folder)
    if fault:
        raise BaseUnusable(fault)
    return base


def load_tokenizer(base: Base) -> Any:
    """Load the tokenizer; runs in a worker only."""
    from transformers import AutoTokenizer

    _make(base)
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            base.folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # a foreign file: the tokenizers library raises no other kind
        if is_out_of_memory(error):
            raise
        raise BaseUnusable(f"The tokenizer in {base.folder} cannot be loaded: {error}") from error
    if not tokenizer.chat_template:
        raise BaseUnusable(f"{base.label} has no chat template; it cannot learn conversations.")
    return tokenizer


def load_weights(base: Base, dtype: Any = None, four_bits_on: Any = None) -> Any:
    """Load the weights from safetensors, in 32 bits unless said otherwise; runs in a worker only.

    four_bits_on names the device on which the linear layers are held in 4 bits (nf4, their scales
    quantised once more).
    """
    import torch
    from transformers import AutoModelForCausalLM

    _make(base)
    wanted = dtype or torch.float32
    more = _four_bits(wanted, four_bits_on) if four_bits_on is not None else {}
    try:
        return AutoModelForCausalLM.from_pretrained(
            base.folder,
            dtype=wanted,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            **more,
        )
    except (OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError) as error:
        if is_out_of_memory(error):
            raise
        raise BaseUnusable(f"The weights in {base.folder} cannot be loaded: {error}") from error


def _four_bits(dtype: Any, device: Any) -> dict[str, Any]:
    from transformers import BitsAndBytesConfig

    chosen = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    return {"quantization_config": chosen, "device_map": {"": device}}


def _make(base: Base) -> None:
    """Make what is made here on its first use: the tiny base, and the merged weights of a checkpoint."""
    if base.family and not checkpoint_bases.has_weights(base.folder):
        note = read_json(base.folder / checkpoint_bases.NOTE)
        checkpoint = Path(note["checkpoint"])
        if not checkpoint.is_dir():
            raise BaseUnusable(f"{base.label} was deleted before its weights were merged.")
        origin = find_base(note["base"], base.folder.parents[1])
        whole = not (checkpoint / "adapter_config.json").is_file()
        weights = load_weights(Base(str(checkpoint), checkpoint, base.label) if whole else origin)
        checkpoint_bases.merge(base.folder, load_tokenizer(origin), weights)
    if base.name != TINY:
        return
    if not (base.folder / "model.safetensors").is_file():
        make_tiny(base.folder)
    gguf_weights.give_tiny(base.folder)


def make_tiny(folder: Path) -> None:
    """Make the tiny base: a byte-level BPE of 512 tokens and a Llama of about 110,000 random weights.

    The same bytes every time: the tokenizer learns from the shipped sample, the weights from a seed.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=_train_bpe(),
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
    )
    tokenizer.chat_template = templates.TINY
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=160,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=_TINY_CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    make_folder(folder)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
        fresh = Path(scratch)
        tokenizer.save_pretrained(fresh)
        LlamaForCausalLM(config).save_pretrained(fresh, safe_serialization=True)
        # The weights come last: they say that all is there.
        for path in sorted(fresh.iterdir(), key=lambda path: path.name == "model.safetensors"):
            path.replace(folder / path.name)


def _train_bpe() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=512,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_sample_texts(), trainer)
    return tokenizer


def _sample_texts() -> list[str]:
    texts: list[str] = []
    for path in sorted(resource("samples").glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            for message in record.get("messages", ()) if isinstance(record, dict) else ():
                content = message.get("content") if isinstance(message, dict) else None
                # A broken character (lone surrogate) cannot be handed to the tokenizer.
                if isinstance(content, str) and content.isprintable():
                    texts.append(content[:2000])
    return texts
