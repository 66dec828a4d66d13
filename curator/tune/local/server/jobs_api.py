"""The fine-tuning endpoints over the queue of this computer."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from curator.tune.local import devices
from curator.tune.local.bases.bases import BaseUnusable, find_base
from curator.tune.local.bases.checkpoint_bases import family_of
from curator.tune.local.job_folders import FINISHED, JobFolder
from curator.tune.local.options import BadOption, resolve
from curator.tune.local.server.answers import ApiError, json_body, not_found, page, refuse_unknown
from curator.tune.local.server.files_api import FileStore
from curator.tune.local.server.queue import Queue

_PROTOCOL_STATUS = {"starting": "running", "paused": "queued"}
"""Our words that the protocol's types do not have, and its own for them; "paused" stands beside it."""

_BODY = (
    "model",
    "training_file",
    "validation_file",
    "method",
    "hyperparameters",
    "suffix",
    "seed",
    "metadata",
    "integrations",
)


def job_object(job: JobFolder) -> dict[str, Any]:
    """Return a job as the protocol shows it; "auto" values are resolved to numbers."""
    spec, state = job.spec, job.state
    options = spec["options"]
    hyper = {
        "n_epochs": options["epochs"],
        "batch_size": options["batch_size"],
        "learning_rate_multiplier": spec["learning_rate_multiplier"],
    }
    return {
        "id": job.id,
        "object": "fine_tuning.job",
        "created_at": spec["created_at"],
        "finished_at": state.get("finished_at"),
        "estimated_finish": state.get("estimated_finish"),
        "model": spec["base"],
        "fine_tuned_model": model_id(job) if state.get("checkpoint") else None,
        "organization_id": "this-computer",
        "status": _PROTOCOL_STATUS.get(state["status"], state["status"]),
        "paused": state["status"] == "paused",
        "hyperparameters": hyper,
        "method": _method_object(options, hyper),
        "training_file": spec["training_file"],
        "validation_file": spec.get("validation_file"),
        "result_files": [state["result_file"]] if state.get("result_file") else [],
        "trained_tokens": state.get("trained_tokens") if state["status"] in FINISHED else None,
        "error": state.get("error"),
        "seed": options["seed"],
        "suffix": spec.get("suffix"),
        "metadata": spec.get("metadata"),
        "integrations": [],
    }


def _method_object(options: dict[str, Any], hyper: dict[str, Any]) -> dict[str, Any]:
    if options.get("objective") == "preference":
        values = {**hyper, "beta": options["beta"]}
        return {"type": "dpo", "dpo": {"hyperparameters": values}}
    return {"type": "supervised", "supervised": {"hyperparameters": hyper}}


def model_id(job: JobFolder, step: int | None = None) -> str:
    """Return the name under which a job's result, or one of its checkpoints, answers in chat."""
    spec = job.spec
    base = family_of(spec["base"]).rstrip("/").rsplit("/", 1)[-1]
    tail = "" if step is None else f":ckpt-step-{step}"
    return (
        f"ft:{base}:this-computer:{spec.get('suffix') or ''}:{job.id.removeprefix('ftjob-')}{tail}"
    )


class JobEndpoints:
    """The endpoints over a queue and a file store."""

    def __init__(self, queue: Queue, files: FileStore) -> None:
        self._queue = queue
        self._files = files

    def routes(self) -> list[Route]:
        """Return the routes of the protocol."""
        jobs = "/v1/fine_tuning/jobs"
        return [
            Route(jobs, self.create, methods=["POST"]),
            Route(jobs, self.index, methods=["GET"]),
            Route(f"{jobs}/{{id}}", self.show, methods=["GET"]),
            Route(f"{jobs}/{{id}}/cancel", self.cancel, methods=["POST"]),
            Route(f"{jobs}/{{id}}/pause", self.pause, methods=["POST"]),
            Route(f"{jobs}/{{id}}/resume", self.resume, methods=["POST"]),
            Route(f"{jobs}/{{id}}/events", self.events, methods=["GET"]),
            Route(f"{jobs}/{{id}}/checkpoints", self.checkpoints, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        """Check a request and put the job in the queue."""
        spec = _spec(await json_body(request), self._files)
        self._queue.trainer()
        job = self._queue.add(spec)
        self._queue.tick()
        return JSONResponse(job_object(job))

    async def index(self, request: Request) -> Response:
        """Answer one page of jobs, newest first; ``metadata[key]=value`` narrows it."""
        wanted = {
            name[len("metadata[") : -1]: value
            for name, value in request.query_params.items()
            if name.startswith("metadata[") and name.endswith("]")
        }
        jobs = [job_object(job) for job in reversed(self._queue.all())]
        return page(
            request, [job for job in jobs if wanted.items() <= (job["metadata"] or {}).items()]
        )

    async def show(self, request: Request) -> Response:
        """Answer one job."""
        return JSONResponse(job_object(self._job(request)))

    async def cancel(self, request: Request) -> Response:
        """Stop a job for good."""
        job = self._job(request)
        if job.state["status"] in FINISHED:
            raise ApiError(400, f"The job has already {job.state['status']}.", code="job_finished")
        self._queue.cancel(job)
        return JSONResponse(job_object(job))

    async def pause(self, request: Request) -> Response:
        """Stop a job so that it can go on."""
        job = self._job(request)
        if job.state["status"] not in ("queued", "starting", "running"):
            raise ApiError(400, f"A job that is {job.state['status']} cannot be paused.")
        self._queue.pause(job)
        return JSONResponse(job_object(job))

    async def resume(self, request: Request) -> Response:
        """Let a paused job, or one whose worker died, go on."""
        job = self._job(request)
        if job.state["status"] not in ("paused", "failed"):
            raise ApiError(400, f"A job that is {job.state['status']} cannot be resumed.")
        self._queue.resume(job)
        self._queue.tick()
        return JSONResponse(job_object(job))

    async def events(self, request: Request) -> Response:
        """Answer one page of events, newest first."""
        return page(request, list(reversed(self._job(request).events())))

    async def checkpoints(self, request: Request) -> Response:
        """Answer one page of checkpoints, newest first."""
        job = self._job(request)
        return page(request, [_checkpoint_object(job, c) for c in reversed(job.checkpoints())])

    def _job(self, request: Request) -> JobFolder:
        job = self._queue.find(request.path_params["id"])
        if job is None:
            raise not_found("fine-tuning job", request.path_params["id"], "fine_tune_not_found")
        return job


def _spec(body: dict[str, Any], files: FileStore) -> dict[str, Any]:
    """Check a request and return what the job folder keeps; raises ApiError."""
    _check_shape(body)
    suffix = body.get("suffix")
    if suffix is not None and not (isinstance(suffix, str) and 1 <= len(suffix) <= 64):
        raise ApiError(400, "suffix must have 1 to 64 characters.", param="suffix")
    metadata = body.get("metadata")
    if metadata is not None and not _is_metadata(metadata):
        raise ApiError(400, "metadata takes at most 16 texts of 512 characters.", param="metadata")
    try:
        base = find_base(body["model"])
    except BaseUnusable as error:
        raise ApiError(400, str(error), code="model_not_found", param="model") from error
    try:
        options = resolve(body, tiny=base.is_tiny)
        usual = resolve({"metadata": metadata, "method": _method_only(body)}, tiny=base.is_tiny)
    except BadOption as error:
        unsupported = error.param == "method"
        code = "unsupported_method" if unsupported else "invalid_hyperparameter"
        raise ApiError(400, str(error), code=code, param=error.param) from error
    if options.method == "qlora" and not (options.four_bit_on_cpu or devices.has_card()):
        raise ApiError(400, devices.NEEDS_CARD, code="no_device", param="method")
    validation = body.get("validation_file")
    return {
        "base": base.name,
        "base_folder": str(base.folder),
        "options": options.to_json(),
        "learning_rate_multiplier": round(options.learning_rate / usual.learning_rate, 6),
        "training_file": body["training_file"],
        "training_path": str(_content(files, body["training_file"], "training_file")),
        "validation_file": validation,
        "validation_path": str(_content(files, validation, "validation_file"))
        if validation
        else None,
        "suffix": suffix,
        "metadata": metadata,
    }


def _check_shape(body: dict[str, Any]) -> None:
    """Raise ApiError for a key that is not known, or a value of another kind."""
    refuse_unknown(body, _BODY)
    for name in ("model", "training_file"):
        if not isinstance(body.get(name), str):
            raise ApiError(400, f"{name} is required.", param=name)
    if not isinstance(body.get("validation_file"), (str, type(None))):
        raise ApiError(400, "validation_file is the id of a file.", param="validation_file")
    if body.get("integrations"):
        raise ApiError(
            400,
            "This computer sends nothing to other services; leave integrations out.",
            code="unsupported_parameter",
            param="integrations",
        )
    method = body.get("method") or {}
    if not isinstance(method, dict):
        raise ApiError(400, "method is an object with its type.", param="method")
    kind = str(method.get("type", "supervised"))
    refuse_unknown(method, ("type", kind), "method")
    inner = method.get(kind) or {}
    if not isinstance(inner, dict):
        raise ApiError(400, f"method.{kind} is an object.", param="method")
    if kind in ("supervised", "dpo"):
        refuse_unknown(inner, ("hyperparameters",), f"method.{kind}")
    for hyper in (body.get("hyperparameters"), inner.get("hyperparameters")):
        if not isinstance(hyper, (dict, type(None))):
            raise ApiError(400, "hyperparameters is an object.", param="hyperparameters")


def _method_only(body: dict[str, Any]) -> dict[str, Any]:
    return {"type": (body.get("method") or {}).get("type", "supervised")}


def _content(files: FileStore, identifier: str, param: str) -> Any:
    try:
        return files.content(identifier)
    except ApiError as error:
        raise ApiError(400, str(error), code="file_not_found", param=param) from error


def _is_metadata(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= 16
        and all(isinstance(v, str) and len(k) <= 64 and len(v) <= 512 for k, v in value.items())
    )


def _checkpoint_object(job: JobFolder, entry: dict[str, Any]) -> dict[str, Any]:
    metrics = {k: v for k, v in entry["metrics"].items() if k != "total_steps"}
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": f"ftckpt-{job.id.removeprefix('ftjob-')}-{entry['step_number']}",
        "created_at": entry["created_at"],
        "fine_tuned_model_checkpoint": model_id(job, entry["step_number"]),
        "fine_tuning_job_id": job.id,
        "metrics": metrics,
        "step_number": entry["step_number"],
    }
