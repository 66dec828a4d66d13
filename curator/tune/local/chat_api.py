"""The models and chat endpoints: bases and trained checkpoints answer through one reply process."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from curator.tune.local.answers import ApiError, json_body, not_found
from curator.tune.local.bases import known_bases
from curator.tune.local.folders import JobFolder, new_id
from curator.tune.local.jobs_api import model_id
from curator.tune.local.queue import Queue


class ReplyProcess:
    """Owns the process that loads weights and replies; one request at a time, restarted when it dies."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None

    async def stream(self, request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Yield the pieces of one reply; raises ApiError where the process reports or dies."""
        async with self._lock:
            process = await self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(request).encode() + b"\n")
            await process.stdin.drain()
            finished = False
            try:
                while not finished:
                    line = await process.stdout.readline()
                    if not line:
                        raise ApiError(500, "The reply process ended; see replies.log.")
                    piece = json.loads(line)
                    finished = "done" in piece or "error" in piece
                    if "error" in piece:
                        raise ApiError(piece["status"], piece["error"])
                    yield piece
            finally:
                if not finished:
                    # The client went away in the middle: what is left must not reach the next one.
                    await self.close()

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            with (self._queue.root / "replies.log").open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    self._queue.replier(),
                    "-m",
                    "curator.tune.local.replies",
                    env=self._queue.environment(),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    limit=1 << 24,
                )
        return self._process


def _checkpoints(queue: Queue) -> dict[str, tuple[JobFolder, str]]:
    """Return every trained checkpoint on disk by the name it answers to."""
    found: dict[str, tuple[JobFolder, str]] = {}
    for job in queue.all():
        state = job.state
        for entry in job.checkpoints():
            folder = job.checkpoints_root / f"step-{entry['step_number']}"
            if not folder.is_dir():
                continue
            found[model_id(job, entry["step_number"])] = (job, str(folder))
            if state.get("checkpoint") == folder.name:
                found[model_id(job)] = (job, str(folder))
    return found


def _model_object(identifier: str, created: int, owner: str) -> dict[str, Any]:
    return {"id": identifier, "object": "model", "created": created, "owned_by": owner}


class ChatEndpoints:
    """The endpoints over a queue and its reply process."""

    def __init__(self, queue: Queue, replies: ReplyProcess) -> None:
        self._queue = queue
        self._replies = replies

    def routes(self) -> list[Route]:
        """Return the routes of the protocol."""
        return [
            Route("/v1/models", self.index, methods=["GET"]),
            Route("/v1/models/{id:path}", self.show, methods=["GET"]),
            Route("/v1/models/{id:path}", self.delete, methods=["DELETE"]),
            Route("/v1/chat/completions", self.chat, methods=["POST"]),
        ]

    async def index(self, _: Request) -> Response:
        """Answer all bases and trained checkpoints."""
        return JSONResponse({"object": "list", "data": self._objects()})

    async def show(self, request: Request) -> Response:
        """Answer one base or checkpoint."""
        identifier = request.path_params["id"]
        for item in self._objects():
            if item["id"] == identifier:
                return JSONResponse(item)
        raise not_found("model", identifier, "model_not_found")

    async def delete(self, request: Request) -> Response:
        """Delete a checkpoint from disk; bases stay."""
        identifier = request.path_params["id"]
        found = _checkpoints(self._queue)
        if identifier not in found:
            raise not_found("model", identifier, "model_not_found")
        shutil.rmtree(found[identifier][1])
        return JSONResponse({"id": identifier, "object": "model", "deleted": True})

    async def chat(self, request: Request) -> Response:
        """Answer a chat request, whole or as a stream."""
        body = await json_body(request)
        wanted = _request(body, self._queue)
        name = str(body["model"])
        if body.get("stream"):
            pieces = self._replies.stream(wanted)
            first = await anext(pieces)
            return StreamingResponse(_events(name, first, pieces), media_type="text/event-stream")
        return JSONResponse(await self._whole(name, wanted, logprobs=bool(body.get("logprobs"))))

    async def _whole(self, name: str, wanted: dict[str, Any], *, logprobs: bool) -> dict[str, Any]:
        choices = []
        usage = {"prompt_tokens": 0, "completion_tokens": 0}
        for index in range(wanted["n"]):
            seeded = {**wanted, "seed": (wanted["seed"] or 0) + index}
            collected = [piece async for piece in self._replies.stream(seeded)]
            choices.append(_choice(index, collected, logprobs=logprobs))
            usage["prompt_tokens"] = collected[-1]["prompt_tokens"]
            usage["completion_tokens"] += collected[-1]["completion_tokens"]
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
        return {
            "id": new_id("chatcmpl"),
            "object": "chat.completion",
            "created": int(time.time()),
            "model": name,
            "choices": choices,
            "usage": usage,
        }

    def _objects(self) -> list[dict[str, Any]]:
        bases = [_model_object(b.name, 0, "curator") for b in known_bases(self._queue.root)]
        tuned = [
            _model_object(name, job.spec["created_at"], "this-computer")
            for name, (job, _) in _checkpoints(self._queue).items()
        ]
        return bases + tuned


def _request(body: dict[str, Any], queue: Queue) -> dict[str, Any]:
    """Check a chat request and return what the reply process needs; raises ApiError."""
    name, messages = body.get("model"), body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise ApiError(400, "messages must hold at least one message.", param="messages")
    if any(not isinstance(m, dict) or not isinstance(m.get("role"), str) for m in messages):
        raise ApiError(400, "Every message needs a role.", param="messages")
    base, checkpoint = str(name), None
    tuned = _checkpoints(queue)
    if name in tuned:
        job, checkpoint = tuned[str(name)]
        base = job.spec["base"]
    elif name not in {b.name for b in known_bases(queue.root)}:
        raise ApiError(404, f"There is no model {name!r}.", code="model_not_found", param="model")
    count = body.get("n") or 1
    if not isinstance(count, int) or not 1 <= count <= 16:
        raise ApiError(400, "n must lie between 1 and 16.", param="n")
    stop = body.get("stop") or []
    return {
        "base": base,
        "checkpoint": checkpoint,
        "messages": messages,
        "tools": body.get("tools"),
        "max_tokens": body.get("max_completion_tokens") or body.get("max_tokens"),
        "temperature": body.get("temperature"),
        "seed": body.get("seed"),
        "stop": [stop] if isinstance(stop, str) else stop,
        "n": count,
        "top_logprobs": body.get("top_logprobs"),
    }


def _choice(index: int, pieces: list[dict[str, Any]], *, logprobs: bool) -> dict[str, Any]:
    said = pieces[:-1]
    content = [_logprob(piece) for piece in said] if logprobs else None
    message = {"role": "assistant", "content": "".join(p["text"] for p in said), "refusal": None}
    return {
        "index": index,
        "message": message,
        "finish_reason": pieces[-1]["done"],
        "logprobs": {"content": content, "refusal": None} if logprobs else None,
    }


def _logprob(piece: dict[str, Any]) -> dict[str, Any]:
    def entry(text: str, value: float) -> dict[str, Any]:
        return {"token": text, "logprob": value, "bytes": list(text.encode())}

    top = [entry(text, value) for text, value in piece["top"]]
    return {**entry(piece["text"], piece["logprob"]), "top_logprobs": top}


async def _events(
    name: str, first: dict[str, Any], rest: AsyncIterator[dict[str, Any]]
) -> AsyncIterator[bytes]:
    head = {
        "id": new_id("chatcmpl"),
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": name,
    }

    def chunk(piece: dict[str, Any]) -> bytes:
        delta = {} if "done" in piece else {"content": piece["text"]}
        choice = {"index": 0, "delta": delta, "finish_reason": piece.get("done"), "logprobs": None}
        return b"data: " + json.dumps({**head, "choices": [choice]}).encode() + b"\n\n"

    yield chunk(first)
    async for piece in rest:
        yield chunk(piece)
    yield b"data: [DONE]\n\n"
