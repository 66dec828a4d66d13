"""What a request for a reply may ask for, checked before the reply process sees it.

A key that is not known here, or a value that this server cannot do, is refused by its name: a client
must never believe that something was done which was only passed over.
"""

import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curator.tune.local.server.answers import ApiError
from curator.tune.local.server.reply_schemas import schema_of

_NEUTRAL: Final[Mapping[str, tuple[Any, ...]]] = {
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "parallel_tool_calls": (True,),
    "reasoning_effort": ("none",),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "tool_choice": ("auto", "none"),
    "verbosity": ("medium",),
    "metadata": ({},),
    **dict.fromkeys(
        ("audio", "functions", "function_call", "prediction", "web_search_options"), ()
    ),
    **dict.fromkeys(("echo",), (False,)),
    **dict.fromkeys(("best_of",), (1,)),
    **dict.fromkeys(("suffix",), ("",)),
}
"""What this server cannot do, and the values by which a client asks for nothing of it."""

_ABOUT_THE_CALLER: Final = ("user", "safety_identifier", "prompt_cache_key")
"""Words for the service's own books; no reply depends on them."""

_Stop = Annotated[str, Field(min_length=1)]
_R = TypeVar("_R", bound="ReplyRequest")


class TextPart(BaseModel):
    """One part of a content; images, sound and files cannot be read here."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["text", "refusal"]
    text: str | None = None
    refusal: str | None = None


class Message(BaseModel):
    """One message; what it carries beside role and content goes to the base's template as it is."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[TextPart] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None
    function_call: dict[str, Any] | None = None
    reasoning_content: str | None = None
    audio: None = None
    annotations: Annotated[list[Any], Field(max_length=0)] | None = None

    def for_template(self) -> dict[str, Any]:
        """Return what was said of the message; keys of the protocol that hold nothing are left out."""
        said = self.model_dump(exclude_unset=True)
        return {n: v for n, v in said.items() if v is not None or n in ("role", "content")}


class Function(BaseModel):
    """What a tool is called with; its parameters are a JSON schema, for the template to show."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1)]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(BaseModel):
    """One tool; functions are the only kind that can be shown to a base."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["function"]
    function: Function


class StreamOptions(BaseModel):
    """How a reply is streamed."""

    model_config = ConfigDict(extra="forbid")

    include_usage: bool | None = None


class ReplyRequest(BaseModel):
    """What a request for a reply holds, with messages or with a bare prompt."""

    model_config = ConfigDict(extra="forbid")

    model: str
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: _Stop | Annotated[list[_Stop], Field(max_length=4)] | None = None
    n: Annotated[int, Field(ge=1, le=16)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    @property
    def count(self) -> int:
        """How many replies are wanted to each prompt."""
        return self.n or 1

    @property
    def tells_usage(self) -> bool:
        """Whether a stream ends with the numbers of tokens."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def drawing(self, base: str, checkpoint: str | None, seed: int) -> dict[str, Any]:
        """Return what the reply process needs whatever it is asked."""
        stop = self.stop or []
        return {
            "base": base,
            "checkpoint": checkpoint,
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": seed % 2**31,
            "stop": [stop] if isinstance(stop, str) else stop,
        }

    def first_seed(self) -> int:
        """Return the seed of the first reply, a random one where none was given."""
        return secrets.randbelow(2**31) if self.seed is None else self.seed


class ChatRequest(ReplyRequest):
    """The body of a chat request."""

    messages: Annotated[list[Message], Field(min_length=1)]
    tools: list[Tool] | None = None
    tool_choice: Literal["auto", "none"] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: dict[str, Any] | None = None

    def for_replies(self, base: str, checkpoint: str | None) -> list[dict[str, Any]]:
        """Return what the reply process needs for each of the replies, which have seeds of their own."""
        seed = self.first_seed()
        said = {
            "messages": [message.for_template() for message in self.messages],
            "tools": [t.model_dump(exclude_unset=True) for t in self.tools]
            if self.tools and self.tool_choice != "none"
            else None,
            "top_logprobs": self.top_logprobs,
            "schema": schema_of(self.response_format),
        }
        limit = {"max_tokens": self.max_completion_tokens or self.max_tokens}
        return [
            {**self.drawing(base, checkpoint, seed + index), **said, **limit}
            for index in range(self.count)
        ]


class CompletionRequest(ReplyRequest):
    """The body of a request to write on from a bare prompt."""

    prompt: (
        Annotated[str, Field(min_length=1)]
        | Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1, max_length=16)]
    )
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None

    def for_replies(self, base: str, checkpoint: str | None) -> list[dict[str, Any]]:
        """Return what the reply process needs for each prompt in turn, n times each."""
        prompts = [self.prompt] if isinstance(self.prompt, str) else self.prompt
        seed = self.first_seed()
        return [
            {
                **self.drawing(base, checkpoint, seed + index),
                "prompt": prompt,
                "max_tokens": self.max_tokens or 16,
                "top_logprobs": self.logprobs,
            }
            for index, prompt in enumerate(p for p in prompts for _ in range(self.count))
        ]


def read_chat(body: Mapping[str, Any]) -> ChatRequest:
    """Check the body of a chat request; raises ApiError 400 that names the first parameter at fault."""
    request = _read(ChatRequest, body)
    if request.top_logprobs is not None and not request.logprobs:
        raise ApiError(
            400, "top_logprobs needs logprobs.", code="invalid_value", param="top_logprobs"
        )
    if schema_of(request.response_format) is not None and request.tools:
        raise ApiError(
            400,
            "A reply in JSON and tools cannot be asked for together here; leave one of them out.",
            code="unsupported_parameter",
            param="response_format",
        )
    return request


def read_completion(body: Mapping[str, Any]) -> CompletionRequest:
    """Check the body of a completion request; raises ApiError 400 that names what is at fault."""
    return _read(CompletionRequest, body)


def _read(kind: type[_R], body: Mapping[str, Any]) -> _R:
    known = {name: value for name, value in body.items() if name not in _ABOUT_THE_CALLER}
    for param, neutral in _NEUTRAL.items():
        if known.get(param) is not None and known[param] not in neutral:
            raise ApiError(
                400,
                f"This computer's server cannot do {param} = {_shown(known[param])}; leave it out.",
                code="unsupported_parameter",
                param=param,
            )
        if param not in kind.model_fields:
            known.pop(param, None)
    try:
        return kind.model_validate(known)
    except ValidationError as error:
        raise _refusal(error) from error


def _refusal(error: ValidationError) -> ApiError:
    errors = error.errors(include_url=False)
    strange = (e for e in errors if e["type"] == "extra_forbidden" and len(e["loc"]) == 1)
    first = next(strange, errors[0])
    param = str(first["loc"][0])
    # The names of alternatives in our own types are none of the caller's.
    where = ".".join(str(part) for part in first["loc"] if part != "str" and "[" not in str(part))
    parts = next((e for e in errors if e["loc"][-1] == "type" and "content" in e["loc"]), None)
    if parts is not None and param == "messages":
        return ApiError(
            400,
            f"messages.{parts['loc'][1]}: a content part of type {_shown(parts['input'])} cannot be "
            "read here, only text.",
            code="unsupported_content",
            param=param,
        )
    if first["type"] == "extra_forbidden":
        return ApiError(
            400, f"{where} is not known to this server.", code="unknown_parameter", param=param
        )
    return ApiError(400, f"{where}: {first['msg']}.", code="invalid_value", param=param)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
