"""A real HTTP server on loopback that answers as Fireworks does, from the addresses its SDK calls."""

from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.tune.services.loopback import Loopback

ACCOUNT = "acme"
HOME = f"/v1/accounts/{ACCOUNT}"
SFT, DPO = "supervisedFineTuningJobs", "dpoJobs"


@dataclass
class FireworksServer(Loopback):
    """Datasets, jobs of both kinds, and models of one account."""

    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    states: tuple[str, ...] = ("VALIDATING", "RUNNING", "WRITING_RESULTS", "COMPLETED")
    reason: str = ""

    def routes(self) -> list[tuple[str, str, Any]]:
        jobs = [
            route
            for kind in (SFT, DPO)
            for route in (
                ("POST", f"{HOME}/{kind}", self._creator(kind)),
                ("GET", f"{HOME}/{kind}", self._lister(kind)),
                ("GET", f"{HOME}/{kind}/{{id}}", self._job),
                ("POST", f"{HOME}/{kind}/{{id}}", self._order),
            )
        ]
        return [
            ("GET", "/v1/accounts/fireworks/models", self._models),
            ("DELETE", f"{HOME}/models/{{id}}", self._delete),
            ("GET", f"{HOME}/models/{{id}}", self._signed),
            ("GET", "/storage/{id}", self._stored),
            ("POST", f"{HOME}/datasets", self._make),
            ("GET", f"{HOME}/datasets", self._list_datasets),
            ("POST", f"{HOME}/datasets/{{id}}", self._upload),
            ("GET", f"{HOME}/datasets/{{id}}", self._dataset),
            *jobs,
            ("POST", "/inference/v1/chat/completions", self._chat),
        ]

    async def _models(self, _request: Request) -> Response:
        named = [("llama-v3p1-8b-instruct", True), ("whisper", False), ("qwen3-8b", True)]
        return JSONResponse({
            "models": [{"name": f"accounts/fireworks/models/{n}", "tunable": t} for n, t in named],
        })  # fmt: skip

    async def _delete(self, request: Request) -> Response:
        self.deleted.append(request.path_params["id"])
        return JSONResponse({})

    async def _signed(self, request: Request) -> Response:
        name, verb = request.path_params["id"].split(":")
        assert verb == "getDownloadEndpoint"
        self.contents["adapter"] = f"the adapter of {name}".encode()
        return JSONResponse(
            {"filenameToSignedUrls": {"adapter.safetensors": f"{self.elsewhere}/storage/adapter"}}
        )

    async def _stored(self, request: Request) -> Response:
        assert "authorization" not in request.headers
        return Response(self.contents[request.path_params["id"]])

    async def _make(self, request: Request) -> Response:
        body = await request.json()
        self.bodies.append(body)
        name = body["datasetId"]
        self.datasets[name] = {"name": f"accounts/{ACCOUNT}/datasets/{name}", "state": "UPLOADING"}
        return JSONResponse(self.datasets[name])

    async def _list_datasets(self, _request: Request) -> Response:
        return JSONResponse({"datasets": list(self.datasets.values())})

    async def _upload(self, request: Request) -> Response:
        name, verb = request.path_params["id"].split(":")
        assert verb == "upload"
        async with request.form() as form:
            self.contents[name] = await form["file"].read()
        return JSONResponse({"filename": "train.jsonl"})

    async def _dataset(self, request: Request) -> Response:
        found = self.datasets.get(request.path_params["id"])
        if found is None:
            return JSONResponse({"error": "dataset not found", "code": 5}, 404)
        answer = dict(found)
        found["state"] = "READY"
        if self.reason.startswith("dataset"):
            found["status"] = {"code": "INVALID_ARGUMENT", "message": self.reason}
        return JSONResponse(answer)

    def _creator(self, kind: str) -> Any:
        place = "supervisedFineTuningJobId" if kind == SFT else "dpoJobId"

        async def create(request: Request) -> Response:
            body = await request.json()
            self.bodies.append(body)
            name = request.query_params[place]
            if name in self.jobs:
                return JSONResponse({"error": "job already exists", "code": 6}, 409)
            self.jobs[name] = {
                **body, "name": f"accounts/{ACCOUNT}/{kind}/{name}", "looks": 0, "kind": kind,
                "createTime": self.now(), "updateTime": self.now(), "state": "JOB_STATE_CREATING",
            }  # fmt: skip
            return JSONResponse(self.jobs[name])

        return create

    def _lister(self, kind: str) -> Any:
        async def listed(_request: Request) -> Response:
            return JSONResponse({kind: [j for j in self.jobs.values() if j["kind"] == kind]})

        return listed

    async def _job(self, request: Request) -> Response:
        job = self.jobs[request.path_params["id"]]
        if job["state"] != "JOB_STATE_CANCELLED":
            state = self.states[min(job["looks"] // 2, len(self.states) - 1)]
            job |= {"state": f"JOB_STATE_{state}", "looks": job["looks"] + 1}
            job["jobProgress"] = {"percent": min(100, 25 * job["looks"]), "epoch": 0}
            if state == "COMPLETED":
                job["completedTime"] = self.now()
            if state == "FAILED":
                job["status"] = {"code": "INTERNAL", "message": self.reason}
        return JSONResponse(job)

    async def _order(self, request: Request) -> Response:
        name, verb = request.path_params["id"].split(":")
        self.jobs[name]["state"] = (
            "JOB_STATE_CANCELLED" if verb == "cancel" else "JOB_STATE_RUNNING"
        )
        return JSONResponse(self.jobs[name] if verb == "resume" else {})

    async def _chat(self, request: Request) -> Response:
        return self.reply(await request.json())
