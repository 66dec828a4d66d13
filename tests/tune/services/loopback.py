"""What the services' servers on loopback share: the port, the key, the requests, faults by route."""

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.tune.protocol_server import KEY


@dataclass
class Loopback:
    """A server in a thread, at two addresses: root, and elsewhere as another host; use it in a with statement."""

    requests: list[tuple[str, str]] = field(default_factory=list, kw_only=True)
    bodies: list[dict[str, Any]] = field(default_factory=list, kw_only=True)
    faults: dict[tuple[str, str], deque[Any]] = field(default_factory=dict, kw_only=True)

    def routes(self) -> list[tuple[str, str, Any]]:
        raise NotImplementedError

    def __enter__(self) -> Any:
        app = Starlette(
            routes=[Route(p, self._guarded(m, p, go), methods=[m]) for m, p, go in self.routes()]
        )
        self._running = [_run(app), _run(app)]
        self.root, self.elsewhere = (
            f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
            for server, _ in self._running
        )
        return self

    def __exit__(self, *_: object) -> None:
        for server, thread in self._running:
            server.should_exit = server.force_exit = True
            thread.join(10)

    def fault(self, method: str, path: str, *faults: Any) -> None:
        """Answer the next calls of a route with these faults."""
        self.faults.setdefault((method, path), deque()).extend(faults)

    def count(self, method: str, path: str) -> int:
        return self.requests.count((method, path))

    def now(self) -> str:
        return datetime.now(UTC).isoformat().replace("+00:00", "Z")

    def reply(self, body: dict[str, Any]) -> Response:
        """Answer a chat as a stream, as OpenAI's protocol has it."""
        self.bodies.append(body)
        shape = '{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[%s]}'
        choice = (
            '{"index":0,"delta":{"role":"assistant","content":"Hello there"},"finish_reason":%s}'
        )
        lines = [shape % (choice % "null"), shape % (choice % '"stop"').replace("Hello there", "")]
        text = "".join(f"data: {line}\n\n" for line in (*lines, "[DONE]"))
        return StreamingResponse(iter([text]), media_type="text/event-stream")

    def _guarded(self, method: str, path: str, go: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            self.requests.append((method, path))
            waiting = self.faults.get((method, path))
            if waiting:
                return await waiting.popleft()(self, request, go)
            sent = request.headers.get("authorization", "").removeprefix("Bearer ")
            if not path.startswith("/storage/") and sent != KEY:
                said = f"Invalid API key: {sent}"
                return JSONResponse({"error": {"message": said, "code": "invalid_api_key"}}, 401)
            return await go(request)

        return endpoint


def _run(app: Starlette) -> tuple[uvicorn.Server, threading.Thread]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    limit = time.monotonic() + 10
    while not server.started and time.monotonic() < limit:
        time.sleep(0.005)
    return server, thread
