"""The process that answers chat requests: loads a base and a checkpoint, streams tokens as JSON lines.

Started as ``python -m curator.tune.local.replies.replies``; reads one request per line from standard input.
"""

import json
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curator.dataset.counted import counted
from curator.tune.local.bases import bases
from curator.tune.local.bases.light_tokenizer import LightTokenizer, can_read
from curator.tune.local.job_folders import is_adapter, is_head
from curator.tune.local.replies import call_texts, llama_engine
from curator.tune.local.replies.json_mask import JsonMask
from curator.tune.local.replies.llama_engine import LlamaEngine, Token
from curator.tune.local.replies.stream_decoder import StreamDecoder
from curator.tune.local.trainer import heads
from curator.tune.local.trainer.encoding import TemplateRefused, encode_prompt
from curator.tune.local.trainer.token_ids import end_ids
from curator.tune.local.weights import gguf_adapter, methods, vocabulary


@dataclass(slots=True)
class Loaded:
    """One network ready to reply, and what it was made of: by torch, or by llama.cpp (engine)."""

    key: tuple[str, str | None]
    tokenizer: Any
    network: Any = None
    cached: bool = True
    head: Path | None = None
    engine: LlamaEngine | None = None
    adapter: Path | None = None


class SchemaRefused(TemplateRefused):
    """A reply cannot be held to the schema that was asked for."""


def main() -> int:
    """Answer requests until standard input ends."""
    loaded: Loaded | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            key = (request["base"], request.get("checkpoint"))
            if loaded is None or loaded.key != key:
                loaded = _load(*key, loaded)
            for piece in _reply(loaded, request):
                _say(piece)
        except (bases.BaseUnusable, TemplateRefused) as error:
            _say({"error": str(error), "status": 400, "param": _param(error)})
        except Exception as error:  # noqa: BLE001 - worker boundary: one bad request must not end the process
            traceback.print_exc()
            _say({"error": f"{type(error).__name__}: {error}", "status": 500})
    return 0


def _say(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _load(name: str, checkpoint: str | None, before: Loaded | None = None) -> Loaded:
    base = bases.find_base(name)
    folder = Path(checkpoint) if checkpoint else None
    quick = _by_llama(base, folder, before)
    if quick is not None:
        return quick
    try:
        return _by_torch(base, folder)
    except ImportError as error:
        why = gguf_adapter.obstacle(base.folder, folder) or "it was not converted yet"
        raise bases.BaseUnusable(
            f"This needs the trainer ({why}): curator trainer --install sets it up."
        ) from error


def _by_llama(base: bases.Base, folder: Path | None, before: Loaded | None) -> Loaded | None:
    """Return what llama.cpp replies with, None where it cannot."""
    origin = gguf_adapter.weights_of(base.folder)
    if origin is None or not llama_engine.is_here() or not can_read(base.folder):
        return None
    if gguf_adapter.obstacle(base.folder, folder):
        return None
    weights, adapter = origin, None
    if folder is not None:
        if not gguf_adapter.is_ready(folder):
            return None
        try:
            written = gguf_adapter.converted(base.folder, folder)
        except ValueError:
            traceback.print_exc()
            return None
        weights, adapter = (origin, written) if is_adapter(folder) else (written, None)
    known = before.engine if before else None
    engine = known if known and known.weights == weights else LlamaEngine(weights)
    key = (base.name, str(folder) if folder else None)
    return Loaded(key, LightTokenizer(base.folder), engine=engine, adapter=adapter)


def _by_torch(base: bases.Base, folder: Path | None) -> Loaded:
    tokenizer = bases.load_tokenizer(base)
    key = (base.name, str(folder) if folder else None)
    if folder is not None and is_head(folder):
        return Loaded(key, tokenizer, bases.load_weights(base).eval(), head=folder)
    cached = True
    words = vocabulary.teach(tokenizer, vocabulary.remembered(folder) if folder else ())
    if folder is not None and not is_adapter(folder):
        network = bases.load_weights(bases.Base(str(folder), folder, base.label))
    else:
        network = bases.load_weights(base)
        vocabulary.extend(tokenizer, network, words)
        if folder is not None:
            network = methods.load(network, folder)
            # A soft prompt is put before the whole input at every pass: no cache of earlier passes.
            cached = "PROMPT_TUNING" not in (folder / "adapter_config.json").read_text("utf-8")
    return Loaded(key, tokenizer, network.eval(), cached)


def _reply(loaded: Loaded, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if loaded.head is not None:
        if "messages" not in request or request.get("schema"):
            raise TemplateRefused(
                "this checkpoint names the label of a conversation and writes no text of its own"
            )
        yield from _label(loaded, loaded.head, request)
        return
    ids = _read(loaded.tokenizer, request)
    context = bases.find_base(loaded.key[0]).context
    if loaded.engine is not None:
        context = min(context, llama_engine.MOST_CONTEXT)
    room = context - len(ids)
    if room <= 0:
        raise TemplateRefused(
            f"the prompt has {counted(len(ids), 'token')}, more than the {context} it reads"
        )
    limit = min(request.get("max_tokens") or 512, room)
    calling = call_texts.format_of(loaded.tokenizer) if request.get("tools") else None
    openings = calling.openings if calling else ()
    decoder = StreamDecoder(loaded.tokenizer, request.get("stop") or (), openings)
    ends = end_ids(loaded.tokenizer)
    for token, logprob, top in _tokens(loaded, ids, request, limit):
        if token in ends:
            break
        text = decoder.take(token)
        yield {
            "text": text,
            "token": loaded.tokenizer.decode([token]),
            "logprob": logprob,
            "top": top,
        }
        if decoder.stopped:
            break
    full = len(decoder.tokens) == limit or (loaded.engine is not None and loaded.engine.full)
    full = full and not decoder.stopped
    said, calls = calling.read(decoder.rest()) if calling else (decoder.rest(), ())
    yield {
        "done": "tool_calls" if calls else "length" if full else "stop",
        "text": said,
        "calls": [{"name": call.name, "arguments": call.arguments} for call in calls],
        "prompt_tokens": len(ids),
        "completion_tokens": len(decoder.tokens),
    }


def _read(tokenizer: Any, request: dict[str, Any]) -> list[int]:
    """Return the ids of what is asked: a conversation in the base's template, or a bare prompt."""
    if "prompt" not in request:
        return encode_prompt(tokenizer, request["messages"], request.get("tools"))
    return list(tokenizer(request["prompt"], add_special_tokens=True)["input_ids"])


def _param(error: Exception) -> str | None:
    return "response_format" if isinstance(error, SchemaRefused) else None


def _mask(loaded: Loaded, schema: dict[str, Any], size: int) -> JsonMask:
    """Return what holds a reply to a schema; raises SchemaRefused where that cannot be."""
    try:
        described = loaded.tokenizer.backend_tokenizer.to_str()
        return JsonMask(described, size, loaded.tokenizer.eos_token_id, schema)
    except ImportError as error:
        raise SchemaRefused(
            "replies in JSON need a package that the trainer lacks: curator trainer --install adds it"
        ) from error
    except ValueError as error:
        raise SchemaRefused(str(error)) from error


def _label(loaded: Loaded, head: Path, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Answer with the label a head gives; the other labels are its top log probabilities."""
    asked = heads.asked_of(request["messages"])
    found = heads.classify(loaded.network, loaded.tokenizer, head, asked)
    wanted = int(request.get("top_logprobs") or 0)
    read = len(asked.ids(loaded.tokenizer, heads.MOST_TOKENS)[0])
    label, logprob = found[0]
    yield {"text": label, "token": label, "logprob": logprob, "top": found[:wanted]}
    yield {"done": "stop", "text": "", "prompt_tokens": read, "completion_tokens": 1}


def _tokens(loaded: Loaded, ids: list[int], request: dict[str, Any], limit: int) -> Iterator[Token]:
    """Yield tokens one by one with their log probability and the most likely others."""
    if loaded.engine is not None:
        yield from loaded.engine.tokens(loaded.adapter, ids, request, limit)
        return
    import torch

    generator = torch.Generator().manual_seed(int(request.get("seed") or 0))
    temperature = float(request.get("temperature") or 0.0)
    share = float(request.get("top_p") or 1.0)
    wanted = int(request.get("top_logprobs") or 0)
    mask = None
    past = None
    given = torch.tensor([ids])
    whole = given
    for _ in range(limit):
        with torch.no_grad():
            if loaded.cached:
                answer = loaded.network(input_ids=given, past_key_values=past, use_cache=True)
                past = answer.past_key_values
            else:
                answer = loaded.network(input_ids=whole, use_cache=False)
        logits = answer.logits[0, -1].float()
        if request.get("schema"):
            mask = mask or _mask(loaded, request["schema"], len(logits))
            logits = _held(logits, mask.allowed())
        scores = torch.log_softmax(logits, -1)
        if temperature > 0:
            token = _drawn(torch.softmax(logits / temperature, -1), share, generator)
        else:
            token = int(scores.argmax())
        if mask is not None:
            mask.take(token)
        best = torch.topk(scores, wanted) if wanted else None
        top = (
            [
                (loaded.tokenizer.decode([int(t)]), float(p))
                for p, t in zip(best.values, best.indices, strict=True)
            ]
            if best is not None
            else []
        )
        yield token, float(scores[token]), top
        given = torch.tensor([[token]])
        whole = torch.cat([whole, given], dim=1)


def _held(logits: Any, allowed: bytes) -> Any:
    """Return the logits with every token ruled out that would break the schema."""
    import torch

    bits = torch.frombuffer(bytearray(allowed), dtype=torch.uint8)
    each = (bits.unsqueeze(1) >> torch.arange(8, dtype=torch.uint8)) & 1
    return logits.masked_fill(each.flatten()[: len(logits)] == 0, float("-inf"))


def _drawn(chances: Any, share: float, generator: Any) -> int:
    """Draw a token among the likeliest that together have this share of the chance."""
    import torch

    if share < 1.0:
        sorted_chances, order = chances.sort(descending=True)
        # The token that crosses the share still counts, so one is always left.
        beyond = sorted_chances.cumsum(-1) - sorted_chances >= share
        chances = chances.masked_fill(beyond.scatter(0, order, beyond), 0.0)
    return int(torch.multinomial(chances, 1, generator=generator))


if __name__ == "__main__":
    sys.exit(main())
