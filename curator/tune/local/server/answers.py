"""The shapes of the OpenAI protocol: objects, cursor pages and errors, as the stock client expects them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse


class ApiError(Exception):
    """A request the server refuses; becomes an error body that fills the client's code and param."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param

    def body(self) -> dict[str, Any]:
        """Return the error as the protocol writes it."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        said = {"message": str(self), "type": kind, "param": self.param, "code": self.code}
        return {"error": said}

    def response(self) -> JSONResponse:
        """Return the answer that carries the error."""
        return JSONResponse(self.body(), status_code=self.status)


def not_found(what: str, identifier: str, code: str | None = None) -> ApiError:
    """Return the 404 for an unknown id."""
    return ApiError(404, f"There is no {what} {identifier!r}.", code=code, param="id")


def page(request: Request, newest_first: Sequence[Mapping[str, Any]]) -> JSONResponse:
    """Answer one cursor page: ``limit`` items (default 20, at most 100) after the id ``after``.

    ``order=asc`` turns the order round.
    """
    order = request.query_params.get("order", "desc")
    if order not in ("asc", "desc"):
        raise ApiError(400, "order must be asc or desc.", param="order")
    items = newest_first[::-1] if order == "asc" else newest_first
    after = request.query_params.get("after")
    try:
        limit = min(max(int(request.query_params.get("limit", 20)), 1), 100)
    except ValueError:
        raise ApiError(400, "limit must be a number.", param="limit") from None
    ids = [item["id"] for item in items]
    if after is not None and after not in ids:
        raise ApiError(400, f"after names no item of this list: {after!r}.", param="after")
    start = ids.index(after) + 1 if after is not None else 0
    data = list(items[start : start + limit])
    return JSONResponse(
        {
            "object": "list",
            "data": data,
            "has_more": start + limit < len(ids),
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
        }
    )


def refuse_unknown(given: Iterable[str], known: Collection[str], where: str = "") -> None:
    """Raise ApiError 400 for the first name that is not known: what is sent is never passed over.

    where is what the names stand in, such as "hyperparameters".
    """
    for name in given:
        if name not in known:
            place = f" in {where}" if where else ""
            raise ApiError(
                400,
                f"{name!r} is not known to this server{place}; it takes {', '.join(known)}.",
                code="unknown_parameter",
                param=name,
            )


async def json_body(request: Request) -> dict[str, Any]:
    """Read a request body that must be a JSON object."""
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise ApiError(400, "The request body is not JSON.") from None
    if not isinstance(body, dict):
        raise ApiError(400, "The request body must be a JSON object.")
    return body
