"""The models, chat and completions endpoints: bases and checkpoints answer through one reply process."""

import asyncio
import contextlib
import json
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from curator.tune.local.bases import checkpoint_bases
from curator.tune.local.bases.bases import known_bases
from curator.tune.local.job_folders import FINISHED, JobFolder, new_id
from curator.tune.local.server.answers import ApiError, json_body, not_found
from curator.tune.local.server.chat_requests import (
    ChatRequest,
    CompletionRequest,
    ReplyRequest,
    read_chat,
    read_completion,
)
from curator.tune.local.server.completion_shapes import completion_choice
from curator.tune.local.server.jobs_api import model_id
from curator.tune.local.server.queue import Queue


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
                        raise ApiError(piece["status"], piece["error"], param=piece.get("param"))
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
                    "curator.tune.local.replies.replies",
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
            Route("/v1/completions", self.complete, methods=["POST"]),
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
        if identifier in {base.name for base in known_bases(self._queue.root)}:
            raise ApiError(
                403, f"{identifier} is a base; only checkpoints are deleted here.", param="id"
            )
        if identifier not in found:
            raise not_found("model", identifier, "model_not_found")
        shutil.rmtree(found[identifier][1])
        needed = {
            job.spec["base"]
            for job in self._queue.all()
            if job.state["status"] not in FINISHED or any(job.checkpoints_root.glob("step-*"))
        }
        checkpoint_bases.remove_unused(self._queue.root, needed)
        return JSONResponse({"id": identifier, "object": "model", "deleted": True})

    async def chat(self, request: Request) -> Response:
        """Answer a chat request, whole or as a stream."""
        wanted = read_chat(await json_body(request))
        if wanted.stream:
            head = _head("chat.completion.chunk", "chatcmpl", wanted)
            return await self._streamed(request, wanted, head, _chat_choices(wanted))
        said = await self._whole(wanted)
        logprobs = bool(wanted.logprobs)
        choices = [_choice(n, pieces, logprobs=logprobs) for n, pieces in enumerate(said)]
        return _answer(_head("chat.completion", "chatcmpl", wanted), wanted, choices, said)

    async def complete(self, request: Request) -> Response:
        """Write on from bare prompts, whole or as a stream; no chat template is used."""
        wanted = read_completion(await json_body(request))
        head = _head("text_completion", "cmpl", wanted)
        logprobs = wanted.logprobs is not None
        if wanted.stream:
            choices_of = _completion_choices(logprobs=logprobs)
            return await self._streamed(request, wanted, head, choices_of)
        said = await self._whole(wanted)
        choices = [completion_choice(n, pieces, logprobs=logprobs) for n, pieces in enumerate(said)]
        return _answer(head, wanted, choices, said)

    async def _streamed(
        self,
        request: Request,
        wanted: ChatRequest | CompletionRequest,
        head: dict[str, Any],
        choices_of: "_ChoicesOf",
    ) -> Response:
        pieces = self._pieces(wanted)
        # Waiting for the first one lets a refusal be an answer of its own.
        first = await anext(pieces)
        lines = _events(wanted, head, first, pieces, choices_of)
        return StreamingResponse(_until_disconnect(request, lines), media_type="text/event-stream")

    async def _pieces(
        self, wanted: ChatRequest | CompletionRequest
    ) -> AsyncIterator[tuple[int, dict[str, Any]]]:
        """Yield the pieces of all replies, each with the number of its reply."""
        for index, request in enumerate(wanted.for_replies(*self._origin(wanted.model))):
            async for piece in self._replies.stream(request):
                yield index, piece

    async def _whole(self, wanted: ChatRequest | CompletionRequest) -> list[list[dict[str, Any]]]:
        said: dict[int, list[dict[str, Any]]] = {}
        async for index, piece in self._pieces(wanted):
            said.setdefault(index, []).append(piece)
        return list(said.values())

    def _origin(self, name: str) -> tuple[str, str | None]:
        """Return the base and the checkpoint's folder behind a name; raises ApiError 404."""
        tuned = _checkpoints(self._queue)
        if name in tuned:
            job, checkpoint = tuned[name]
            return job.spec["base"], checkpoint
        if name in {base.name for base in known_bases(self._queue.root)}:
            return name, None
        raise ApiError(404, f"There is no model {name!r}.", code="model_not_found", param="model")

    def _objects(self) -> list[dict[str, Any]]:
        bases = [_model_object(b.name, 0, "curator") for b in known_bases(self._queue.root)]
        tuned = [
            _model_object(name, job.spec["created_at"], "this-computer")
            for name, (job, _) in _checkpoints(self._queue).items()
        ]
        return bases + tuned


async def _until_disconnect(request: Request, lines: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    """Yield lines until the client disconnects, so that no time goes into a reply that is not read."""
    async with contextlib.aclosing(lines):
        async for line in lines:
            if await request.is_disconnected():
                return
            yield line


def _head(kind: str, prefix: str, wanted: ReplyRequest) -> dict[str, Any]:
    identity = {"id": new_id(prefix), "object": kind, "created": int(time.time())}
    return {**identity, "model": wanted.model}


def _answer(
    head: dict[str, Any],
    wanted: ReplyRequest,
    choices: list[dict[str, Any]],
    said: list[list[dict[str, Any]]],
) -> Response:
    usage = _usage([pieces[-1] for pieces in said], wanted.count)
    return JSONResponse({**head, "choices": choices, "usage": usage})


def _choice(index: int, pieces: list[dict[str, Any]], *, logprobs: bool) -> dict[str, Any]:
    said = "".join(piece["text"] for piece in pieces)
    message: dict[str, Any] = {"role": "assistant", "content": said, "refusal": None}
    if pieces[-1].get("calls"):
        message |= {"content": said or None, "tool_calls": _calls(pieces[-1]["calls"])}
    return {
        "index": index,
        "message": message,
        "finish_reason": pieces[-1]["done"],
        "logprobs": _logprobs(pieces[:-1]) if logprobs else None,
    }


def _calls(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": new_id("call"), "type": "function", "function": call} for call in found]


def _usage(ends: list[dict[str, Any]], count: int) -> dict[str, int]:
    """Return the numbers of tokens; a prompt counts once, however many replies (count) it got."""
    read = sum(end["prompt_tokens"] for end in ends[::count])
    written = sum(end["completion_tokens"] for end in ends)
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
    }


def _logprobs(pieces: list[dict[str, Any]]) -> dict[str, Any]:
    def entry(text: str, value: float) -> dict[str, Any]:
        return {"token": text, "logprob": value, "bytes": list(text.encode())}

    content = [
        {
            **entry(piece["token"], piece["logprob"]),
            "top_logprobs": [entry(text, value) for text, value in piece["top"]],
        }
        for piece in pieces
    ]
    return {"content": content, "refusal": None}


_ChoicesOf = Callable[[int, dict[str, Any]], list[dict[str, Any]]]
"""What a stream says of a piece of the reply with a number: one choice a line."""


async def _events(
    wanted: ReplyRequest,
    head: dict[str, Any],
    first: tuple[int, dict[str, Any]],
    rest: AsyncIterator[tuple[int, dict[str, Any]]],
    choices_of: _ChoicesOf,
) -> AsyncGenerator[bytes]:
    if wanted.tells_usage:
        head = {**head, "usage": None}
    ends: list[dict[str, Any]] = []

    def lines(index: int, piece: dict[str, Any]) -> bytes:
        ends.extend([piece] if "done" in piece else [])
        choices = choices_of(index, piece)
        return b"".join(_line({**head, "choices": [choice]}) for choice in choices)

    yield lines(*first)
    try:
        async for index, piece in rest:
            yield lines(index, piece)
    except ApiError as error:
        yield _line(error.body())  # the head of the answer has gone long ago
        return
    if wanted.tells_usage:
        yield _line({**head, "choices": [], "usage": _usage(ends, wanted.count)})
    yield b"data: [DONE]\n\n"


def _chat_choices(wanted: ChatRequest) -> _ChoicesOf:
    begun: set[int] = set()

    def choices(index: int, piece: dict[str, Any]) -> list[dict[str, Any]]:
        delta: dict[str, Any] = {} if index in begun else {"role": "assistant"}
        begun.add(index)
        if piece["text"] or "done" not in piece:
            delta["content"] = piece["text"]
        choice = {"index": index, "delta": delta, "finish_reason": piece.get("done")}
        if piece.get("calls"):
            called = [{"index": n, **call} for n, call in enumerate(_calls(piece["calls"]))]
            whole = {"delta": {**delta, "tool_calls": called}, "finish_reason": None}
            return [
                {**choice, **whole, "logprobs": None},
                {**choice, "delta": {}, "logprobs": None},
            ]
        shown = _logprobs([piece]) if wanted.logprobs and "done" not in piece else None
        return [{**choice, "logprobs": shown}]

    return choices


def _completion_choices(*, logprobs: bool) -> _ChoicesOf:
    begun: dict[int, int] = {}

    def choices(index: int, piece: dict[str, Any]) -> list[dict[str, Any]]:
        offset = begun.get(index, 0)
        begun[index] = offset + len(piece["text"])
        return [completion_choice(index, [piece], logprobs=logprobs, offset=offset)]

    return choices


def _line(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"
