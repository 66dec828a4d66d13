"""Replies by llama.cpp, where the package xllamacpp is there: without torch.

One server in this process holds the weights and the adapters asked for so far; which adapter counts
is said with every request.
"""

import functools
import importlib.util
import json
import os
import queue
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

MOST_CONTEXT: Final = 8192
"""How many tokens a prompt and its reply may have together, whatever the base could read."""

_MOST_ADAPTERS: Final = 8
_TRY_S: Final = 60.0
Token = tuple[int, float, list[tuple[str, float]]]


@functools.cache
def is_here() -> bool:
    """Tell whether this Python has llama.cpp, and what reads tokenizers and chat templates beside it.

    A wheel that is installed may still miss a library of the system, so it is loaded once, in a
    process of its own: the window never holds it.
    """
    if not all(map(importlib.util.find_spec, ("xllamacpp", "fastokens", "jinja2"))):
        return False
    if getattr(sys, "frozen", False):
        return True  # a bundle has no Python to ask, and what it brings was tried when it was built
    asked = [sys.executable, "-c", "import xllamacpp"]
    try:
        done = subprocess.run(asked, capture_output=True, check=False, timeout=_TRY_S)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


class LlamaEngine:
    """Weights of the llama architecture and the adapters trained on them."""

    def __init__(self, weights: Path) -> None:
        self.weights = weights
        self.full = False
        """Whether the last reply was cut at its limit: characters of several tokens come as one entry."""
        self._adapters: list[Path] = []
        self._server: Any = None

    def tokens(
        self, adapter: Path | None, ids: Sequence[int], request: dict[str, Any], limit: int
    ) -> Iterator[Token]:
        """Yield tokens one by one with their log probability and the most likely others."""
        scales = self._scales(adapter)
        wanted = int(request.get("top_logprobs") or 0)
        asked = {
            "prompt": list(ids),
            "n_predict": limit,
            "temperature": float(request.get("temperature") or 0.0),
            "seed": int(request.get("seed") or 0),
            # The whole distribution, as the other engine draws from it.
            "top_k": 0,
            "top_p": float(request.get("top_p") or 1.0),
            "min_p": 0.0,
            "n_probs": max(1, wanted),
            "cache_prompt": False,
            "lora": scales,
            "stream": True,
        }
        if request.get("schema"):
            # Without this a small model writes white space until its limit.
            asked["json_schema"] = {
                **request["schema"],
                "x-guidance": {"whitespace_flexible": False},
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
                    self.full = choice.get("finish_reason") == "length"
                    yield from (choice.get("logprobs") or {}).get("content") or ()
        finally:
            left.set()
            thread.join()

    def _scales(self, wanted: Path | None) -> list[dict[str, Any]]:
        """Return how much every loaded adapter counts; loads the one that is asked for."""
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
        parameters.model.path = str(self.weights)
        parameters.n_ctx = MOST_CONTEXT
        parameters.n_parallel = 1
        parameters.cpuparams.n_threads = max(1, (os.cpu_count() or 2) - 1)
        # It listens on loopback too, without the local server's checks: a key that is never shown closes it.
        parameters.api_keys = [secrets.token_urlsafe(32)]
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
