"""The uploads endpoints: a large file sent in parts, which becomes a file when it is complete."""

import contextlib
import hashlib
import io
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from curator.dataset.counted import counted
from curator.dataset.errors import BrokenFile
from curator.dataset.small_files import make_folder
from curator.tune.local.job_folders import new_id, read_json, write_json
from curator.tune.local.server.answers import ApiError, json_body, not_found, refuse_unknown
from curator.tune.local.server.files_api import MAX_BYTES, FileStore, check_purpose, lifetime_of

_OPEN_S: Final = 3600
_PART_MOST: Final = 64 * 2**20
_NEEDED: Final = ("bytes", "filename", "mime_type", "purpose")
_BLOCK: Final = 1 << 20
_META: Final = {
    "id": str,
    "bytes": int,
    "filename": str,
    "purpose": str,
    "status": str,
    "expires_at": int,
}


class UploadStore:
    """Uploads as folders: ``uploads/ID/meta.json`` beside one file for each part."""

    def __init__(self, root: Path) -> None:
        self.root = root / "uploads"
        make_folder(self.root)

    def add(self, fields: dict[str, Any], lifetime: int | None) -> dict[str, Any]:
        """Begin an upload that stays open for an hour."""
        self._clear()
        now = int(time.time())
        meta = {
            "id": new_id("upload"),
            "object": "upload",
            "bytes": fields["bytes"],
            "created_at": now,
            "expires_at": now + _OPEN_S,
            "filename": fields["filename"],
            "purpose": fields["purpose"],
            "status": "pending",
            "file": None,
        }
        write_json(self.root / str(meta["id"]) / "meta.json", {**meta, "_lifetime": lifetime})
        return meta

    def read(self, identifier: str) -> dict[str, Any]:
        """Return an upload as it stands; raises ApiError 404."""
        path = self.folder(identifier) / "meta.json"
        if not path.is_file():
            raise not_found("upload", identifier)
        meta = read_json(path, _META)
        if meta["status"] == "pending" and meta["expires_at"] <= time.time():
            meta["status"] = "expired"
        return meta

    def open_one(self, identifier: str) -> dict[str, Any]:
        """Return an upload that still takes parts; raises ApiError where it does not."""
        meta = self.read(identifier)
        if meta["status"] != "pending":
            raise ApiError(400, f"The upload is {meta['status']} already.", code="upload_closed")
        return meta

    def close(self, meta: dict[str, Any], status: str, file: dict[str, Any] | None = None) -> None:
        """Put an upload to an end, and its parts away."""
        meta.update(status=status, file=file)
        folder = self.folder(meta["id"])
        write_json(folder / "meta.json", meta)
        for part in folder.glob("part-*"):
            part.unlink()

    def folder(self, identifier: str) -> Path:
        """Return where an upload lies, whether or not it is there; raises ApiError 404."""
        if not identifier.startswith("upload-") or not identifier[7:].isalnum():
            raise not_found("upload", identifier)
        return self.root / identifier

    def parts(self, meta: dict[str, Any], wanted: Sequence[str]) -> list[Path]:
        """Return the files of parts in the order they are joined; raises ApiError for one there is not."""
        there = {path.name: path for path in self.folder(meta["id"]).glob("part-*")}
        for name in wanted:
            if name not in there:
                raise ApiError(400, f"The upload has no part {name!r}.", param="part_ids")
        return [there[name] for name in wanted]

    def keep_part(self, meta: dict[str, Any], content: IO[bytes]) -> str:
        """Keep one part and return its id; raises ApiError where it is more than was announced."""
        folder, name = self.folder(meta["id"]), new_id("part")
        draft = folder / f".{name}"
        with draft.open("wb") as out:
            shutil.copyfileobj(content, out, _BLOCK)
            size = out.tell()
        taken = sum(path.stat().st_size for path in folder.glob("part-*"))
        if size > _PART_MOST or taken + size > meta["bytes"]:
            draft.unlink()
            limit = (
                "64 MB" if size > _PART_MOST else f"the {counted(meta['bytes'], 'byte')} announced"
            )
            raise ApiError(400, f"The part goes over {limit}.", param="data")
        draft.replace(folder / name)
        return name

    def _clear(self) -> None:
        """Put away what was left open for more than its hour."""
        for path in self.root.glob("*/meta.json"):
            # A broken one is reported when it is asked for; a new one is not affected.
            with contextlib.suppress(BrokenFile):
                if self.read(path.parent.name)["status"] == "expired":
                    shutil.rmtree(path.parent)


def routes(uploads: UploadStore, files: FileStore) -> list[Route]:
    """Return the endpoints over the two stores."""

    async def create(request: Request) -> Response:
        body = await json_body(request)
        refuse_unknown(body, (*_NEEDED, "expires_after"))
        return JSONResponse(uploads.add(_checked(body), _lifetime(body)))

    async def part(request: Request) -> Response:
        meta = uploads.open_one(request.path_params["id"])
        async with request.form(max_files=1, max_fields=1, max_part_size=_PART_MOST) as form:
            refuse_unknown(form, ("data",))
            data = form.get("data")
            if not isinstance(data, UploadFile):
                raise ApiError(400, "The form has no data.", param="data")
            name = uploads.keep_part(meta, data.file)
        made = {"id": name, "object": "upload.part", "created_at": int(time.time())}
        return JSONResponse({**made, "upload_id": meta["id"]})

    async def complete(request: Request) -> Response:
        body = await json_body(request)
        refuse_unknown(body, ("part_ids", "md5"))
        meta = uploads.open_one(request.path_params["id"])
        wanted = body.get("part_ids")
        if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
            raise ApiError(400, "part_ids is a list of the ids of parts.", param="part_ids")
        paths = uploads.parts(meta, wanted)
        _check_whole(paths, meta["bytes"], body.get("md5"))
        file = files.add(_Joined(paths), meta["filename"], meta["purpose"], meta["_lifetime"])
        uploads.close(meta, "completed", file)
        return JSONResponse(_public(meta))

    async def cancel(request: Request) -> Response:
        meta = uploads.open_one(request.path_params["id"])
        uploads.close(meta, "cancelled")
        return JSONResponse(_public(meta))

    return [
        Route("/v1/uploads", create, methods=["POST"]),
        Route("/v1/uploads/{id}/parts", part, methods=["POST"]),
        Route("/v1/uploads/{id}/complete", complete, methods=["POST"]),
        Route("/v1/uploads/{id}/cancel", cancel, methods=["POST"]),
    ]


class _Joined(io.RawIOBase):
    """Several files read as one."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._blocks = _blocks(paths)

    def read(self, _size: int = -1) -> bytes:
        """Return the next block, empty at the end."""
        return next(self._blocks, b"")


def _blocks(paths: Sequence[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                yield block


def _check_whole(paths: Sequence[Path], size: int, md5: object) -> None:
    found = sum(path.stat().st_size for path in paths)
    if found != size:
        raise ApiError(
            400,
            f"The parts have {counted(found, 'byte')} together, not the {size:,} announced.",
            param="part_ids",
        )
    if md5 is None:
        return
    digest = hashlib.md5(usedforsecurity=False)
    for block in _blocks(paths):
        digest.update(block)
    if md5 != digest.hexdigest():
        raise ApiError(400, "The joined parts have another MD5 checksum.", param="md5")


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    for name in _NEEDED[1:]:
        if not isinstance(body.get(name), str) or not body[name]:
            raise ApiError(400, f"{name} is required.", param=name)
    size = body.get("bytes")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size <= MAX_BYTES:
        raise ApiError(400, f"bytes must be a number from 1 to {MAX_BYTES:,}.", param="bytes")
    check_purpose(body["purpose"])
    return body


def _lifetime(body: dict[str, Any]) -> int | None:
    expiry = body.get("expires_after")
    if expiry is None:
        return None
    if not isinstance(expiry, dict):
        raise ApiError(400, "expires_after is an object.", param="expires_after")
    with contextlib.suppress(ApiError):
        refuse_unknown(expiry, ("anchor", "seconds"))
        return lifetime_of(expiry.get("anchor"), expiry.get("seconds"))
    return lifetime_of("", "")  # which says what is taken


def _public(meta: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in meta.items() if not name.startswith("_")}
