"""The local server as one application: endpoints, guard, and the clock of the queue."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from curator.dataset.errors import BrokenFile
from curator.tune.local.server import chat_api, files_api, jobs_api, result_file, uploads_api
from curator.tune.local.server.answers import ApiError
from curator.tune.local.server.guard import Guard
from curator.tune.local.server.queue import Queue


def create_app(queue: Queue, token: str) -> Starlette:
    """Build the application over a queue; every request must carry the token."""
    files = files_api.FileStore(queue.root)
    replies = chat_api.ReplyProcess(queue)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        clock = asyncio.create_task(_tick(queue, files))
        yield
        clock.cancel()
        await replies.close()

    app = Starlette(
        routes=[
            *files_api.routes(files),
            *uploads_api.routes(uploads_api.UploadStore(queue.root), files),
            *jobs_api.JobEndpoints(queue, files).routes(),
            *chat_api.ChatEndpoints(queue, replies).routes(),
        ],
        middleware=[Middleware(Guard, token=token)],
        exception_handlers={
            ApiError: _refuse,
            BrokenFile: _broken_file,
            HTTPException: _refuse_path,
            ClientDisconnect: _client_closed,
            Exception: _internal_error,
        },
        lifespan=lifespan,
    )
    # A path with a slash at its end is another path, and is told so in the protocol's own words.
    app.router.redirect_slashes = False
    return app


async def _tick(queue: Queue, files: files_api.FileStore) -> None:
    while True:
        # A full disk may come free again: the clock must not stop for it.
        with contextlib.suppress(OSError):
            queue.tick()
            result_file.publish(queue, files)
        await asyncio.sleep(0.5)


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response()


async def _refuse_path(request: Request, error: Exception) -> Response:
    """Answer for a path or a method there is not, and for a form that is none, in the protocol's shape."""
    assert isinstance(error, HTTPException)
    what = f"{request.method} {request.url.path}"
    if error.status_code == 404:
        refusal = ApiError(404, f"This server has no {what}.", code="unknown_url")
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        refusal = ApiError(
            405, f"This server has no {what}; it takes {allowed} there.", code="method_not_allowed"
        )
    else:
        refusal = ApiError(error.status_code, f"{what} was refused: {error.detail}.")
    answer = refusal.response()
    answer.headers.update(error.headers or {})
    return answer


async def _client_closed(_: Request, _error: Exception) -> Response:
    """End a request whose client has disconnected: no answer is read, and nothing went wrong here."""
    return Response(status_code=499)


async def _internal_error(request: Request, error: Exception) -> Response:
    return ApiError(
        500,
        f"{request.method} {request.url.path} failed: {type(error).__name__}. The server's log says more.",
        code="server_error",
    ).response()


async def _broken_file(_: Request, error: Exception) -> Response:
    """Answer that a file the server keeps is broken; everything else goes on."""
    return ApiError(500, str(error), code="broken_file").response()
