"""The files endpoints: uploaded training files and result files."""

import hashlib
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from curator.dataset.errors import BrokenFile
from curator.dataset.small_files import make_folder
from curator.tune.local.job_folders import new_id, read_json, write_json
from curator.tune.local.server.answers import ApiError, not_found, page, refuse_unknown

_META = {"id": str, "bytes": int, "filename": str, "purpose": str}
MAX_BYTES = 5 * 1024**3
_LIFETIMES = range(3600, 2_592_001)
_PURPOSES = ("fine-tune", "batch", "evals", "user_data")
_FIELDS = ("file", "purpose", "expires_after[anchor]", "expires_after[seconds]")


class FileStore:
    """Files as folders: ``files/ID/content`` beside ``meta.json``."""

    def __init__(self, root: Path) -> None:
        self.root = root / "files"
        make_folder(self.root)

    def meta(self, identifier: str) -> dict[str, Any]:
        """Return a file object; raises ApiError 404."""
        path = self._folder(identifier) / "meta.json"
        if not path.is_file() or self._is_over(found := read_json(path, _META)):
            raise not_found("file", identifier)
        return found

    def content(self, identifier: str) -> Path:
        """Return the path of a file's bytes; raises ApiError 404."""
        self.meta(identifier)
        return self._folder(identifier) / "content"

    def all(self) -> list[dict[str, Any]]:
        """Return all file objects, newest first."""
        metas = []
        for place in self.root.glob("*/meta.json"):
            with suppress(BrokenFile):  # asked for by its id, it is named
                metas.append(read_json(place, _META))
        metas = [meta for meta in metas if not self._is_over(meta)]
        return sorted(metas, key=lambda meta: str(meta["id"]), reverse=True)

    def add(
        self, source: Any, name: str, purpose: str, lifetime: int | None = None
    ) -> dict[str, Any]:
        """Store a stream under a new id; the object appears only when all bytes are on disk.

        lifetime is in seconds; the file goes away after it.
        """
        identifier = new_id("file")
        folder = self._folder(identifier)
        folder.mkdir(parents=True)
        digest = hashlib.sha256()
        with (folder / "content").open("wb") as target:
            while block := source.read(1 << 20):
                digest.update(block)
                target.write(block)
                if target.tell() > MAX_BYTES:
                    shutil.rmtree(folder)
                    raise ApiError(413, "The file is over 5 GB.", param="file")
            target.flush()
            os.fsync(target.fileno())
        meta: dict[str, Any] = {
            "id": identifier,
            "object": "file",
            "bytes": (folder / "content").stat().st_size,
            "created_at": int(time.time()),
            "filename": name,
            "purpose": purpose,
            "status": "processed",
            "sha256": digest.hexdigest(),
        }
        if lifetime is not None:
            meta["expires_at"] = int(meta["created_at"]) + lifetime
        write_json(folder / "meta.json", meta)
        return meta

    def remove(self, identifier: str) -> None:
        """Delete a file; raises ApiError 404."""
        self.meta(identifier)
        shutil.rmtree(self._folder(identifier))

    def _is_over(self, meta: dict[str, Any]) -> bool:
        """Tell whether a file's time has come, and take it from disk where it has."""
        over = bool(meta.get("expires_at", float("inf")) <= time.time())
        if over:
            shutil.rmtree(self._folder(meta["id"]), ignore_errors=True)
        return over

    def _folder(self, identifier: str) -> Path:
        if not identifier.startswith("file-") or not identifier[5:].isalnum():
            raise not_found("file", identifier)
        return self.root / identifier


def check_purpose(purpose: object) -> None:
    """Raise ApiError for a purpose that files cannot have here."""
    if purpose not in _PURPOSES:
        raise ApiError(400, f"The purpose {purpose!r} is unknown; use fine-tune.", param="purpose")


def lifetime_of(anchor: object, seconds: object) -> int | None:
    """Return the seconds after which a file goes away; raises ApiError where they are not sound."""
    if anchor is None and seconds is None:
        return None
    text = str(seconds)
    if anchor != "created_at" or not text.isdecimal() or int(text) not in _LIFETIMES:
        raise ApiError(
            400,
            "expires_after takes the anchor created_at and 3,600 to 2,592,000 seconds.",
            param="expires_after",
        )
    return int(text)


def _lifetime(form: Mapping[str, Any]) -> int | None:
    return lifetime_of(form.get("expires_after[anchor]"), form.get("expires_after[seconds]"))


def routes(files: FileStore) -> list[Route]:
    """Return the endpoints over a store."""

    async def create(request: Request) -> Response:
        async with request.form(max_files=1, max_fields=8) as form:
            refuse_unknown(form, _FIELDS)
            upload, purpose = form.get("file"), form.get("purpose")
            if not isinstance(upload, UploadFile):
                raise ApiError(400, "The form has no file.", param="file")
            check_purpose(purpose)
            name = upload.filename or "file.jsonl"
            return JSONResponse(files.add(upload.file, name, str(purpose), _lifetime(form)))

    async def index(request: Request) -> Response:
        purpose = request.query_params.get("purpose")
        return page(request, [f for f in files.all() if purpose in (None, f["purpose"])])

    async def show(request: Request) -> Response:
        return JSONResponse(files.meta(request.path_params["id"]))

    async def content(request: Request) -> Response:
        return FileResponse(files.content(request.path_params["id"]))

    async def delete(request: Request) -> Response:
        identifier = request.path_params["id"]
        files.remove(identifier)
        return JSONResponse({"id": identifier, "object": "file", "deleted": True})

    return [
        Route("/v1/files", create, methods=["POST"]),
        Route("/v1/files", index, methods=["GET"]),
        Route("/v1/files/{id}", show, methods=["GET"]),
        Route("/v1/files/{id}", delete, methods=["DELETE"]),
        Route("/v1/files/{id}/content", content, methods=["GET"]),
    ]
