"""Replies by llama.cpp, where the trainer's Python has the package xllamacpp: no weights in torch.

One server in this process holds the base and the adapters asked for so far; which adapter counts is
said with every request.
"""

import importlib.util
import json
import queue
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from curator.tune.local import gguf_adapter

_CONTEXT: Final = 8192
_MOST_ADAPTERS: Final = 8
Token = tuple[int, float, list[tuple[str, float]]]


def can_reply(base: Path, checkpoint: Path | None) -> bool:
    """Tell whether llama.cpp is here and can take this base and checkpoint."""
    if importlib.util.find_spec("xllamacpp") is None or importlib.util.find_spec("gguf") is None:
        return False
    if gguf_adapter.weights_of(base) is None:
        return False
    return checkpoint is None or gguf_adapter.is_convertible(checkpoint)


class LlamaEngine:
    """A base of the llama architecture and the adapters trained on it."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._adapters: list[Path] = []
        self._server: Any = None

    def tokens(
        self, checkpoint: Path | None, ids: Sequence[int], request: dict[str, Any], limit: int
    ) -> Iterator[Token]:
        """Yield tokens one by one with their log probability and the most likely others."""
        scales = self._scales(checkpoint)
        wanted = int(request.get("top_logprobs") or 0)
        asked = {
            "prompt": list(ids),
            "n_predict": limit,
            "temperature": float(request.get("temperature") or 0.0),
            "seed": int(request.get("seed") or 0),
            # The whole distribution, as the other engine draws from it.
            "top_k": 0,
            "top_p": 1.0,
            "min_p": 0.0,
            "n_probs": max(1, wanted),
            "cache_prompt": False,
            "lora": scales,
            "stream": True,
        }
        for entry in self._stream(asked):
            top = [(o["token"], float(o["logprob"])) for o in entry["top_logprobs"][:wanted]]
            yield int(entry["id"]), float(entry["logprob"]), top

    def _stream(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the log probability entries of one completion as they come."""
        pieces: queue.Queue[str | None] = queue.Queue()
        left = threading.Event()

        def take(piece: str) -> bool:
            pieces.put(piece)
            return left.is_set()  # true ends the completion

        def complete() -> None:
            try:
                self._server.handle_completions(json.dumps(asked), take)
            finally:
                pieces.put(None)

        thread = threading.Thread(target=complete)
        thread.start()
        try:
            while (piece := pieces.get()) is not None:
                answer = json.loads(piece)
                if "error" in answer:
                    raise RuntimeError(answer["error"].get("message", "llama.cpp failed"))
                for choice in answer.get("choices", ()):
                    yield from (choice.get("logprobs") or {}).get("content") or ()
        finally:
            left.set()
            thread.join()

    def _scales(self, checkpoint: Path | None) -> list[dict[str, Any]]:
        """Return how much every loaded adapter counts; loads the one that is asked for."""
        wanted = gguf_adapter.converted(self.base, checkpoint) if checkpoint else None
        missing = wanted is not None and wanted not in self._adapters
        if missing and wanted is not None:
            self._adapters = [p for p in self._adapters if p.is_file()][1 - _MOST_ADAPTERS :]
            self._adapters.append(wanted)
        if missing or self._server is None:
            self._server = self._start()
        return [
            {"id": index, "scale": 1.0 if path == wanted else 0.0}
            for index, path in enumerate(self._adapters)
        ]

    def _start(self) -> Any:
        import xllamacpp

        self._server = None  # the old one ends before the new one takes memory
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(gguf_adapter.weights_of(self.base))
        parameters.n_ctx = _CONTEXT
        parameters.n_parallel = 1
        parameters.verbosity = -1
        parameters.warmup = False
        parameters.lora_init_without_apply = True
        loaded = []
        for path in self._adapters:
            adapter = xllamacpp.CommonAdapterLoraInfo()
            adapter.path = str(path)
            adapter.scale = 1.0
            loaded.append(adapter)
        parameters.lora_adapters = loaded
        return xllamacpp.Server(parameters)
