"""A real HTTP server on loopback that answers as Together does, from the addresses its SDK calls."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.tune.services.loopback import Loopback

LIMITS = {
    "default_gradient_accumulation_steps": 1,
    "lora_training": {
        "default_rank": 8, "max_batch_size": 64, "max_batch_size_dpo": 32, "max_rank": 64,
        "min_batch_size": 8, "target_modules": ["q_proj"],
    },
    "max_learning_rate": 0.01, "max_num_checkpoints": 10, "max_num_epochs": 20, "max_num_evals": 100,
    "max_seq_length_dpo": 8192, "max_seq_length_sft": 16384, "merge_output_lora": True,
    "min_learning_rate": 1e-9, "min_max_seq_length": 512, "model_name": "openai/gpt-oss-20b",
    "supports_full_training": False, "supports_reasoning": False, "supports_tools": True,
    "supports_vision": False, "full_training": None,
}  # fmt: skip
WHEN = "2026-11-26T12:00:0{}.000Z"


@dataclass
class TogetherServer(Loopback):
    """Files (signed address, then the bytes, then a look at them) and jobs."""

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: tuple[str, ...] = ("queued", "running", "compressing", "completed")
    reason: str = ""
    hardware: int = 200
    invalid: str = ""

    def __post_init__(self) -> None:
        self._ids = itertools.count(1)

    def routes(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", "/v2/supported-models", self._supported),
            ("POST", "/v1/files", self._announce),
            ("PUT", "/storage/{id}", self._store),
            ("POST", "/v1/files/{id}/preprocess", self._look_at),
            ("GET", "/v1/files", self._list_files),
            ("GET", "/v1/files/{id}", self._file),
            ("GET", "/v1/fine-tunes/models/limits", self._limits),
            ("POST", "/v1/fine-tunes/estimate-price", self._estimate),
            ("POST", "/v1/fine-tunes", self._create),
            ("GET", "/v1/fine-tunes", self._list),
            ("GET", "/v1/fine-tunes/{id}", self._job),
            ("POST", "/v1/fine-tunes/{id}/cancel", self._cancel),
            ("GET", "/v1/fine-tunes/{id}/events", self._events),
            ("GET", "/v1/fine-tunes/{id}/metrics", self._metrics),
            ("GET", "/v1/fine-tunes/{id}/checkpoints", self._checkpoints),
            ("GET", "/v1/finetune/download", self._download),
            ("GET", "/storage/{id}", self._stored),
            ("GET", "/v1/hardware", self._hardware),
            ("POST", "/v1/chat/completions", self._chat),
        ]

    async def _supported(self, request: Request) -> Response:
        assert request.query_params["product"] == "PRODUCT_FINE_TUNING"
        if request.query_params.get("after"):
            return JSONResponse(
                {"data": [{"id": "b", "name": "Qwen/Qwen3-8B"}], "next_cursor": None}
            )
        return JSONResponse(
            {"data": [{"id": "a", "name": "openai/gpt-oss-20b"}], "next_cursor": "a"}
        )

    async def _announce(self, request: Request) -> Response:
        form = await request.form()
        for known in self.files.values():
            if known["checksum"] == form["checksum"]:
                return JSONResponse({"file_id": known["id"], "message": "exists"}, 409)
        name = f"file-{next(self._ids):04d}"
        self.files[name] = {
            "id": name, "object": "file", "filename": str(form["file_name"]), "bytes": 0,
            "created_at": 1700000000, "purpose": "fine-tune", "FileType": "jsonl",
            "processing_status": "PENDING", "checksum": str(form["checksum"]),
        }  # fmt: skip
        headers = {"Location": f"{self.root}/storage/{name}", "X-Together-File-Id": name}
        return Response(status_code=302, headers=headers)

    async def _store(self, request: Request) -> Response:
        # A signed address knows its caller by the signature; the key has no business there.
        assert "authorization" not in request.headers
        name = request.path_params["id"]
        self.contents[name] = await request.body()
        self.files[name]["bytes"] = len(self.contents[name])
        return Response()

    async def _look_at(self, request: Request) -> Response:
        return JSONResponse(self.files[request.path_params["id"]])

    async def _list_files(self, _request: Request) -> Response:
        return JSONResponse({"data": list(self.files.values())})

    async def _file(self, request: Request) -> Response:
        found = self.files.get(request.path_params["id"])
        if found is None:
            return JSONResponse({"error": {"message": "File not found", "code": "not_found"}}, 404)
        answer = dict(found)
        found["processing_status"] = "INVALID_FORMAT" if self.invalid else "COMPLETED"
        if self.invalid:
            found["validation_report"] = {"valid": False, "error": self.invalid}
        return JSONResponse(answer)

    async def _limits(self, request: Request) -> Response:
        if request.query_params["model_name"].startswith("no/"):
            return JSONResponse({"error": {"message": "Model not found", "code": "model"}}, 404)
        return JSONResponse(LIMITS)

    async def _estimate(self, _request: Request) -> Response:
        unknown = {"estimation_available": False, "unavailable_reason": "train_file_not_validated"}
        return JSONResponse(unknown)

    async def _create(self, request: Request) -> Response:
        body = await request.json()
        self.bodies.append(body)
        name = f"ft-{next(self._ids):04d}"
        self.jobs[name] = {
            "id": name, "status": "pending", "user_id": "u", "model": body["model"],
            "training_file": body["training_file"], "created_at": self.now(), "events": [],
            "looks": 0,
        }  # fmt: skip
        return JSONResponse(self.jobs[name])

    async def _list(self, _request: Request) -> Response:
        return JSONResponse({"data": list(self.jobs.values())})

    async def _job(self, request: Request) -> Response:
        job = self.jobs[request.path_params["id"]]
        if job["status"] != "cancelled":
            job["status"] = self.statuses[min(job["looks"], len(self.statuses) - 1)]
            job["looks"] += 1
        if job["status"] == "completed":
            job |= {"model_output_name": "me/gpt-oss-20b-bank", "token_count": 1234,
                    "updated_at": self.now()}  # fmt: skip
        if job["status"] == "error" and self.reason:
            told = {"object": "fine-tune-event", "type": "job_error", "created_at": WHEN.format(1)}
            job["events"] = [{**told, "level": "error", "message": self.reason}]
        return JSONResponse(job)

    async def _cancel(self, request: Request) -> Response:
        job = self.jobs[request.path_params["id"]]
        job |= {"status": "cancelled", "updated_at": self.now()}
        return JSONResponse(job)

    async def _events(self, _request: Request) -> Response:
        told = {"object": "fine-tune-event", "level": "legacy_info"}
        return JSONResponse({"data": [
            {**told, "type": "job_start", "created_at": WHEN.format(1), "message": "Job started"},
            {**told, "type": "warning", "created_at": WHEN.format(2), "message": "Slow",
             "level": "legacy_iwarning"},
        ]})  # fmt: skip

    async def _metrics(self, request: Request) -> Response:
        if self.jobs[request.path_params["id"]]["looks"] < 2:
            return JSONResponse({"error": {"message": "No metrics yet"}}, 404)
        stamp = 1_779_196_193_000_000_000
        return JSONResponse({"metrics": [
            {"timestamp": stamp, "train/global_step": 1, "train/loss": 2.5, "train/epoch": 0.5},
            {"timestamp": stamp + 10**9, "train/global_step": 2, "train/loss": 1.5},
            {"timestamp": stamp + 10**9, "eval/global_step": 2, "eval/loss": 1.75},
        ]})  # fmt: skip

    async def _checkpoints(self, _request: Request) -> Response:
        made = {"checkpoint_type": "Final (step 2)", "created_at": WHEN.format(9), "step": 2}
        return JSONResponse({"data": [{**made, "path": "s3://x/y", "checkpoint": "adapter"}]})

    async def _download(self, request: Request) -> Response:
        assert request.query_params["checkpoint_step"] == "2"
        self.contents["adapter"] = b"the adapter"
        where = f"{self.elsewhere}/storage/adapter"
        return Response(status_code=302, headers={"Location": where})

    async def _hardware(self, request: Request) -> Response:
        assert request.query_params["model"]
        return JSONResponse({"object": "list", "data": []}, self.hardware)

    async def _stored(self, request: Request) -> Response:
        assert "authorization" not in request.headers
        return Response(self.contents[request.path_params["id"]])

    async def _chat(self, request: Request) -> Response:
        return self.reply(await request.json())
