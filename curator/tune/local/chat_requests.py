"""What a chat request may ask for, checked before the reply process sees it."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curator.tune.local.answers import ApiError

_NEUTRAL: Final[Mapping[str, tuple[Any, ...]]] = {
    "top_p": (1,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "response_format": ({"type": "text"},),
}
"""What this server cannot do, and the values by which a client asks for nothing of it."""

_Stop = Annotated[str, Field(min_length=1)]


class Message(BaseModel):
    """One message; what else it carries goes to the base's template as it is."""

    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = None


class StreamOptions(BaseModel):
    """How a reply is streamed."""

    include_usage: bool | None = None


class ChatRequest(BaseModel):
    """The body of a chat request, as far as it counts here."""

    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    tools: list[dict[str, Any]] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: _Stop | Annotated[list[_Stop], Field(max_length=4)] | None = None
    n: Annotated[int, Field(ge=1, le=16)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    @property
    def count(self) -> int:
        """How many replies are wanted."""
        return self.n or 1

    @property
    def tells_usage(self) -> bool:
        """Whether a stream ends with the numbers of tokens."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def for_reply(self, base: str, checkpoint: str | None, index: int) -> dict[str, Any]:
        """Return what the reply process needs for one of the replies; each has a seed of its own."""
        stop = self.stop or []
        return {
            "base": base,
            "checkpoint": checkpoint,
            "messages": [m.model_dump(exclude_unset=True) for m in self.messages],
            "tools": self.tools,
            "max_tokens": self.max_completion_tokens or self.max_tokens,
            "temperature": self.temperature,
            "seed": ((self.seed or 0) + index) % 2**31,
            "stop": [stop] if isinstance(stop, str) else stop,
            "top_logprobs": self.top_logprobs,
        }


def read_request(body: Mapping[str, Any]) -> ChatRequest:
    """Check a body; raises ApiError 400 that names the first parameter at fault."""
    try:
        request = ChatRequest.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        param = str(first["loc"][0])
        where = ".".join(str(part) for part in first["loc"][:3])
        raise ApiError(
            400, f"{where}: {first['msg']}.", code="invalid_value", param=param
        ) from error
    for param, neutral in _NEUTRAL.items():
        if body.get(param) is not None and body[param] not in neutral:
            raise ApiError(
                400,
                f"This computer's server has no {param}; leave it out.",
                code="unsupported_parameter",
                param=param,
            )
    if request.top_logprobs is not None and not request.logprobs:
        raise ApiError(
            400, "top_logprobs needs logprobs.", code="invalid_value", param="top_logprobs"
        )
    return request
