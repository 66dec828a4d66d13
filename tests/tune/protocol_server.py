"""A real HTTP server on loopback that keeps OpenAI's files and fine-tuning protocol, with faults on demand.

It answers as the public service does (shapes, status words, newest first, cursor pages), remembers
every request, and takes faults by script: ``server.fault("POST", "/fine_tuning/jobs", status(500))``.
"""

import asyncio
import itertools
import json
import re
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

Fault = Callable[["ProtocolServer", Request, Callable[[Request], Awaitable[Response]]], Any]

KEY = "sk-proj-R4nd0mS3cretThatMustNeverShow-9f8e7d6c5b4a"


def status(
    code: int, message: str = "it failed", *, error_code: str | None = None, headers=None
) -> Fault:
    """Answer with an error status in OpenAI's shape."""

    async def answer(_server, _request, _go):
        return _error(code, message, error_code, headers=headers)

    return answer


def raw(body: str, *, code: int = 200, kind: str = "text/html") -> Fault:
    """Answer with any body, such as a web page with status 200 or a page labelled JSON."""

    async def answer(_server, _request, _go):
        return Response(body, status_code=code, media_type=kind)

    return answer


def accept_then(fault: Fault) -> Fault:
    """Do what was asked, then answer with a fault: the dangerous case for a paid job."""

    async def answer(server, request, go):
        await go(request)
        return await fault(server, request, go)

    return answer


def silence(seconds: float) -> Fault:
    """Answer nothing for some seconds, so that the caller times out."""

    async def answer(_server, _request, _go):
        await asyncio.sleep(seconds)
        return _error(504, "late")

    return answer


def late(seconds: float) -> Fault:
    """Answer rightly, but after some seconds."""

    async def answer(_server, request, go):
        await request.body()
        await asyncio.sleep(seconds)
        return await go(request)

    return answer


def said_mid_stream(message: str) -> Fault:
    """Begin a streamed answer, then send an error object in its middle."""

    async def answer(_server, request, _go):
        name = (await request.json())["model"]
        events = [_chunk(name, "I began"), {"error": {"message": message, "type": "server_error"}}]
        return StreamingResponse(_events_of(events), media_type="text/event-stream")

    return answer


def cut_mid_stream(*, quietly: bool = False) -> Fault:
    """Begin a streamed answer and break the line in its middle; quietly ends it as if all were said."""

    async def answer(_server, request, _go):
        name = (await request.json())["model"]

        async def pieces():
            for text in ("I ", "began"):
                yield _event_line(_chunk(name, text))
            if not quietly:
                raise ConnectionResetError("the line broke")

        return StreamingResponse(pieces(), media_type="text/event-stream")

    return answer


@dataclass
class Plan:
    """How jobs run: status words in turn (one per retrieve), then the end."""

    statuses: tuple[str, ...] = ("validating_files", "queued", "running", "running")
    end: str = "succeeded"
    error: dict[str, Any] | None = None
    steps: int = 6
    keep_metadata: bool = True
    file_polls: int = 1
    file_end: str = "processed"
    file_details: str | None = None
    result: str = (
        "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,1.5,0.5,,\n"
    )
    checkpoint_files: tuple[str, ...] = ()
    endless: bool = False
    min_examples: int = 10
    reply: str = "You asked: {question} Your card arrives in five days."
    reply_pause: float = 0.0
    answer: Callable[[dict[str, Any]], str | dict[str, Any]] | None = None
    """What is answered to a request that is not streamed: a text, or a whole message."""


@dataclass
class ProtocolServer:
    """The server's state and its switches; use it in a with statement."""

    plan: Plan = field(default_factory=Plan)
    key: str = KEY
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    models: list[dict[str, Any]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)

    def reset(self) -> "ProtocolServer":
        """Forget everything and begin anew on the same port: starting one takes a fifth of a second."""
        self.plan = Plan()
        for kept in (self.files, self.contents, self.jobs, self.uploads):
            kept.clear()
        for told in (
            self.requests,
            self.bodies,
            self.headers,
            self.models,
            self.deleted,
            self.queries,
        ):
            told.clear()
        self.__post_init__()
        return self

    def __post_init__(self) -> None:
        self._faults: dict[tuple[str, str], deque[Fault]] = {}
        self._always: dict[tuple[str, str], Fault] = {}
        self._ids = itertools.count(1)
        self.models = self.models or [
            {"id": "gpt-4.1-mini-2025-04-14", "object": "model", "created": 1, "owned_by": "openai",
             "shutdown_date": "2027-01-14"},
            {"id": "gpt-6-luna", "object": "model", "created": 2, "owned_by": "openai",
             "shutdown_date": None},
        ]  # fmt: skip

    def __enter__(self) -> "ProtocolServer":
        config = uvicorn.Config(self._app(), port=0, log_level="critical", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        limit = time.monotonic() + 10
        while not self._server.started and time.monotonic() < limit:
            time.sleep(0.005)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def fault(self, method: str, path: str, *faults: Fault, always: bool = False) -> None:
        """Answer the next calls of a route (path as in PATHS, without /v1) with these faults."""
        if always:
            self._always[method, path] = faults[0]
        else:
            self._faults.setdefault((method, path), deque()).extend(faults)

    def clear_faults(self) -> None:
        self._faults.clear()
        self._always.clear()

    def count(self, method: str, path: str) -> int:
        return sum(1 for m, p in self.requests if m == method and p == path)

    def methods_used(self) -> set[str]:
        return {method for method, _ in self.requests}

    def _app(self) -> Starlette:
        routes = [
            ("GET", "/models", self._models),
            ("DELETE", "/models/{id:path}", self._models_delete),
            ("POST", "/fine_tuning/alpha/graders/validate", self._graders_validate),
            ("POST", "/chat/completions", self._chat),
            ("GET", "/files", self._files_list),
            ("POST", "/files", self._files_create),
            ("GET", "/files/{id}", self._files_get),
            ("GET", "/files/{id}/content", self._files_content),
            ("POST", "/uploads", self._uploads_create),
            ("POST", "/uploads/{id}/parts", self._uploads_part),
            ("POST", "/uploads/{id}/complete", self._uploads_complete),
            ("POST", "/uploads/{id}/cancel", self._uploads_cancel),
            ("GET", "/fine_tuning/jobs", self._jobs_list),
            ("POST", "/fine_tuning/jobs", self._jobs_create),
            ("GET", "/fine_tuning/jobs/{id}", self._jobs_get),
            ("POST", "/fine_tuning/jobs/{id}/cancel", self._jobs_set("cancelled")),
            ("POST", "/fine_tuning/jobs/{id}/pause", self._jobs_set("paused")),
            ("POST", "/fine_tuning/jobs/{id}/resume", self._jobs_set("running")),
            ("GET", "/fine_tuning/jobs/{id}/events", self._events),
            ("GET", "/fine_tuning/jobs/{id}/checkpoints", self._checkpoints),
        ]
        return Starlette(
            routes=[
                Route(f"/v1{path}", self._guarded(method, path, go), methods=[method])
                for method, path, go in routes
            ]
        )

    def _guarded(self, method, path, go):
        async def endpoint(request: Request) -> Response:
            await request.body()  # who counts requests means those that arrived whole
            self.requests.append((request.method, path))
            self.headers.append(dict(request.headers))
            self.queries.append(request.url.query)
            waiting = self._faults.get((method, path))
            fault = waiting.popleft() if waiting else self._always.get((method, path))
            if fault is not None:
                return await fault(self, request, go)
            sent = request.headers.get("authorization", "").removeprefix("Bearer ")
            if (sent or request.headers.get("api-key")) != self.key:
                # Some servers echo the key they were given; a client must not pass that on.
                return _error(401, f"Incorrect API key provided: {sent}.", "invalid_api_key")
            return await go(request)

        return endpoint

    def _new(self, prefix: str) -> str:
        return f"{prefix}-{next(self._ids):04d}"

    def _page(self, request: Request, items: list[dict[str, Any]]) -> Response:
        newest = sorted(items, key=lambda item: item.get("_order", 0), reverse=True)
        if self.plan.endless:
            limit = int(request.query_params.get("limit", 20))
            return JSONResponse({"object": "list", "data": [_public(i) for i in newest[:limit]]})
        after = request.query_params.get("after")
        if after:
            ids = [item["id"] for item in newest]
            newest = newest[ids.index(after) + 1 :] if after in ids else []
        limit = int(request.query_params.get("limit", 20))
        page = [_public(item) for item in newest[:limit]]
        return JSONResponse({"object": "list", "data": page, "has_more": len(newest) > limit})

    async def _models(self, _request):
        return JSONResponse({"object": "list", "data": self.models})

    async def _models_delete(self, request):
        name = request.path_params["id"]
        if name in self.deleted or not any(
            j["fine_tuned_model"] == name for j in self.jobs.values()
        ):
            return _error(404, f"The model {name} does not exist.", "model_not_found")
        self.deleted.append(name)
        return JSONResponse({"id": name, "object": "model", "deleted": True})

    async def _graders_validate(self, request):
        grader = (await request.json())["grader"]
        if grader["name"] == "strange":
            return _error(400, "Invalid grader: strange.", "invalid_grader", param="grader")
        return JSONResponse({"grader": grader})

    async def _chat(self, request):
        body = await request.json()
        self.bodies.append(body)
        name = body["model"]
        if name.startswith("gpt-9"):
            return _error(404, f"The model {name} does not exist.", "model_not_found")
        if self.plan.answer is not None:
            return self._answered(body, self.plan.answer(body))
        text = self.plan.reply.replace("{question}", body["messages"][-1]["content"])
        words = re.findall(r"^\s+|\S+\s*", text)
        limit = body.get("max_completion_tokens") or len(words)
        end = "length" if limit < len(words) else "stop"
        if not body.get("stream"):
            message = {"role": "assistant", "content": "".join(words[:limit])}
            choice = {"index": 0, "message": message, "finish_reason": end, "logprobs": None}
            return JSONResponse({"id": "c", "object": "chat.completion", "created": 1,
                                 "model": name, "choices": [choice]})  # fmt: skip

        async def pieces():
            for word in words[:limit]:
                await asyncio.sleep(self.plan.reply_pause)
                yield _event_line(_chunk(name, word))
            yield _event_line(_chunk(name, None, end))
            yield b"data: [DONE]\n\n"

        return StreamingResponse(pieces(), media_type="text/event-stream")

    def _answered(self, body, said):
        message = said if isinstance(said, dict) else {"role": "assistant", "content": said}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        used = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
        answer = {"id": "c", "object": "chat.completion", "created": 1, "usage": used,
                  "model": body["model"], "choices": [choice]}  # fmt: skip
        # Escaped, as some servers write it: half a character then reaches the client.
        return Response(json.dumps(answer), media_type="application/json")

    async def _files_list(self, request):
        return self._page(request, list(self.files.values()))

    async def _files_create(self, request):
        async with request.form() as form:
            content, name = await form["file"].read(), form["file"].filename
        return JSONResponse(_public(self._keep_file(content, name)))

    def _keep_file(self, content: bytes, name: str) -> dict[str, Any]:
        file_id = self._new("file")
        self.contents[file_id] = content
        self.files[file_id] = {
            "id": file_id, "object": "file", "bytes": len(content), "created_at": int(time.time()),
            "filename": name, "purpose": "fine-tune", "status": "uploaded",
            "_polls": self.plan.file_polls, "_order": next(self._ids),
        }  # fmt: skip
        return self.files[file_id]

    async def _files_get(self, request):
        if request.path_params["id"].startswith("file-result"):
            return JSONResponse(
                {"id": request.path_params["id"], "object": "file", "bytes": len(self.plan.result),
                 "created_at": 1, "filename": "step_metrics.csv", "purpose": "fine-tune-results",
                 "status": "processed"}
            )  # fmt: skip
        found = self.files.get(request.path_params["id"])
        if found is None:
            return _error(404, "No such File object", "not_found")
        if found["_polls"] <= 0:
            found["status"] = self.plan.file_end
            found["status_details"] = self.plan.file_details
        found["_polls"] -= 1
        return JSONResponse(_public(found))

    async def _files_content(self, request):
        if request.path_params["id"].startswith("file-result"):
            return PlainTextResponse(self.plan.result)
        return Response(self.contents[request.path_params["id"]])

    async def _uploads_create(self, request):
        body = await request.json()
        upload = {"id": self._new("upload"), "object": "upload", "bytes": body["bytes"],
                  "created_at": 1, "expires_at": 2, "filename": body["filename"],
                  "purpose": body["purpose"], "status": "pending", "_parts": {}}  # fmt: skip
        self.uploads[upload["id"]] = upload
        return JSONResponse(_public(upload))

    async def _uploads_part(self, request):
        part = self._new("part")
        async with request.form() as form:
            content = await form["data"].read()
        self.uploads[request.path_params["id"]]["_parts"][part] = content
        return JSONResponse({"id": part, "object": "upload.part", "created_at": 1,
                             "upload_id": request.path_params["id"]})  # fmt: skip

    async def _uploads_complete(self, request):
        upload = self.uploads[request.path_params["id"]]
        body = await request.json()
        content = b"".join(upload["_parts"][part] for part in body["part_ids"])
        if len(content) != upload["bytes"]:
            return _error(400, "The parts do not add up to the announced size.")
        file = self._keep_file(content, upload["filename"])
        upload.update(status="completed", file=_public(file))
        return JSONResponse(_public(upload))

    async def _uploads_cancel(self, request):
        upload = self.uploads[request.path_params["id"]]
        upload["status"] = "cancelled"
        return JSONResponse(_public(upload))

    async def _jobs_list(self, request):
        wanted = {k[9:-1]: v for k, v in request.query_params.items() if k.startswith("metadata[")}
        found = [
            job
            for job in self.jobs.values()
            if all((job["metadata"] or {}).get(k) == v for k, v in wanted.items())
        ]
        return self._page(request, found)

    async def _jobs_create(self, request):
        body = await request.json()
        self.bodies.append(body)
        file = self.files.get(body.get("training_file"))
        if file is None:
            return _error(400, "invalid training_file", "invalid_file", param="training_file")
        if body["model"].startswith("gpt-9"):
            text = f"Model {body['model']} is not available for fine-tuning or does not exist."
            return _error(400, text, "model_not_available", param="model")
        if file["status"] == "uploaded":
            text = f"File '{file['id']}' is still being processed and is not ready to be used"
            return _error(400, text + " for fine-tuning. Please try again later.")
        return JSONResponse(_public(self.make_job(body)))

    def make_job(self, body: dict[str, Any]) -> dict[str, Any]:
        job_id = self._new("ftjob")
        self.jobs[job_id] = {
            "id": job_id, "object": "fine_tuning.job", "created_at": int(time.time()),
            "model": body["model"], "organization_id": "org-1", "result_files": [], "seed": 7,
            "status": "validating_files", "training_file": body["training_file"],
            "validation_file": body.get("validation_file"), "fine_tuned_model": None,
            "finished_at": None, "trained_tokens": None, "estimated_finish": None,
            "hyperparameters": {"n_epochs": 3}, "method": body.get("method"),
            "metadata": body.get("metadata") if self.plan.keep_metadata else None,
            "error": {"code": None, "message": None, "param": None},
            "_polls": 0, "_order": next(self._ids),
        }  # fmt: skip
        return self.jobs[job_id]

    def _job(self, request: Request) -> dict[str, Any] | None:
        return self.jobs.get(request.path_params["id"])

    async def _jobs_get(self, request):
        job = self._job(request)
        if job is None:
            return _error(404, "Could not find the fine-tuning job", "fine_tune_not_found")
        if job["status"] not in ("cancelled", "paused", "succeeded", "failed"):
            self._advance(job)
        return JSONResponse(_public(job))

    def _advance(self, job: dict[str, Any]) -> None:
        if job["_polls"] < len(self.plan.statuses):
            job["status"] = self.plan.statuses[job["_polls"]]
            job["estimated_finish"] = int(time.time()) + 60
        else:
            job["status"] = self.plan.end
            job["finished_at"] = int(time.time())
            job["estimated_finish"] = None
            if self.plan.end == "succeeded":
                job["fine_tuned_model"] = f"ft:{job['model']}:org-1::{job['id']}"
                job["trained_tokens"] = 4321
                job["result_files"] = ["file-result-1"]
            job["error"] = self.plan.error or job["error"]
        job["_polls"] += 1

    def _jobs_set(self, word: str):
        async def change(request):
            job = self._job(request)
            if job is None:
                return _error(404, "Could not find the fine-tuning job", "fine_tune_not_found")
            job["status"] = word
            return JSONResponse(_public(job))

        return change

    def _progress(self, job: dict[str, Any]) -> int:
        if job["status"] == "succeeded":
            return self.plan.steps
        return min(self.plan.steps, max(0, job["_polls"] - 2) * 2)

    async def _events(self, request):
        job = self._job(request)
        if job is None:
            return _error(404, "Could not find the fine-tuning job", "fine_tune_not_found")
        total = self.plan.steps
        events = [_event(job["id"], 0, "message", "Created fine-tuning job", {})]
        for step in range(1, self._progress(job) + 1):
            loss = round(2.0 / step, 4)
            data = {"step": step, "total_steps": total, "train_loss": loss,
                    "train_mean_token_accuracy": 0.5 + step / 100}  # fmt: skip
            if step % 3 == 0:
                data["full_valid_loss"] = loss + 0.1
            text = f"Step {step}/{total}: training loss={loss}"
            events.append(_event(job["id"], step, "metrics", text, data))
        return self._page(request, events)

    async def _checkpoints(self, request):
        job = self._job(request)
        if job is None:
            return _error(404, "Could not find the fine-tuning job", "fine_tune_not_found")
        made = [
            {"id": f"ckpt-{step}", "object": "fine_tuning.job.checkpoint", "created_at": step,
             "fine_tuned_model_checkpoint": f"ft:{job['model']}:ckpt-step-{step}",
             "fine_tuning_job_id": job["id"], "metrics": {"step": step, "train_loss": 0.4},
             "result_files": self.plan.checkpoint_files,
             "step_number": step, "_order": step}
            for step in range(3, self._progress(job) + 1, 3)
        ]  # fmt: skip
        return self._page(request, made)


def _event(job_id: str, order: int, kind: str, text: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"ftevent-{job_id}-{order}", "object": "fine_tuning.job.event",
            "created_at": 1_700_000_000 + order, "level": "info", "message": text, "type": kind,
            "data": data, "_order": order}  # fmt: skip


def _chunk(name: str, text: str | None, end: str | None = None) -> dict[str, Any]:
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": end}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": name,
            "choices": [choice]}  # fmt: skip


def _event_line(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


async def _events_of(values: list[dict[str, Any]]):
    for value in values:
        yield _event_line(value)


def _public(item: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps({k: v for k, v in item.items() if not k.startswith("_")}))


def _error(code: int, message: str, error_code=None, *, param=None, headers=None) -> Response:
    body = {"error": {"message": message, "type": "error", "param": param, "code": error_code}}
    return JSONResponse(body, status_code=code, headers=headers)
