"""The local server as one application: endpoints, guard, and the clock of the queue."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from curator.tune.local import chat_api, files_api, jobs_api, results
from curator.tune.local.answers import ApiError
from curator.tune.local.guard import Guard
from curator.tune.local.queue import Queue


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

    return Starlette(
        routes=[
            *files_api.routes(files),
            *jobs_api.JobEndpoints(queue, files).routes(),
            *chat_api.ChatEndpoints(queue, replies).routes(),
            Route("/{rest:path}", _unknown),
        ],
        middleware=[Middleware(Guard, token=token)],
        exception_handlers={ApiError: _refuse},
        lifespan=lifespan,
    )


async def _tick(queue: Queue, files: files_api.FileStore) -> None:
    while True:
        # A full disk may come free again: the clock must not stop for it.
        with contextlib.suppress(OSError):
            queue.tick()
            results.publish(queue, files)
        await asyncio.sleep(0.5)


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response()


async def _unknown(request: Request) -> JSONResponse:
    return ApiError(404, f"This server has no {request.method} {request.url.path}.").response()
