"""Graders of reinforcement training: what scores a reply, checked before anything is uploaded.

Shapes and bounds: OpenAI's types/graders (openai 3.52); limits of Python graders: Microsoft's
fine-tuning guide (256 KB of source). A field of the training row is named as {{item.field}}.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from curator.dataset.counted import counted
from curator.dataset.errors import UnreadableInput, WrongUse
from curator.dataset.json_values import BadJson, loads
from curator.dataset.record import Kind, Record
from curator.dataset.regular_files import read_regular

KINDS: Final = ("string_check", "text_similarity", "python", "score_model", "multi")
"""The graders OpenAI's protocol takes for a job; label_model stands inside a multi grader only."""

_SOURCE_MOST: Final = 256 * 1024
_PLACE: Final = re.compile(r"\{\{\s*(item|sample)\.?([^{}]*?)\s*\}\}")
_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*")
_SHOWN: Final = 5

_Name = Annotated[str, Field(min_length=1)]


class _Grader(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StringCheck(_Grader):
    """1 where a comparison of two texts holds, else 0."""

    type: Literal["string_check"]
    name: _Name
    input: str
    reference: str
    operation: Literal["eq", "ne", "like", "ilike"]


class TextSimilarity(_Grader):
    """How near a text comes to a reference, by one of the usual measures."""

    type: Literal["text_similarity"]
    name: _Name
    input: str
    reference: str
    evaluation_metric: Literal[
        "cosine", "fuzzy_match", "bleu", "gleu", "meteor", "rouge_1", "rouge_2", "rouge_3",
        "rouge_4", "rouge_5", "rouge_l",
    ]  # fmt: skip


class PythonSource(_Grader):
    """A function grade(sample, item) that the service runs without network."""

    type: Literal["python"]
    name: _Name
    source: str = Field(min_length=1)
    image_tag: str | None = None

    @model_validator(mode="after")
    def _is_small(self) -> "PythonSource":
        if len(self.source.encode("utf-8", "replace")) > _SOURCE_MOST:
            raise ValueError("the source has more than 256 KB")
        try:
            compile(self.source, "grader", "exec")
        except (SyntaxError, ValueError) as error:
            raise ValueError(f"the source is no Python: {error}") from None
        return self


class GraderMessage(_Grader):
    """One message to a grading model."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str | dict[str, Any] | list[Any]
    type: Literal["message"] | None = None


class ScoreModel(_Grader):
    """A model that gives a number."""

    type: Literal["score_model"]
    name: _Name
    model: _Name
    input: list[GraderMessage] = Field(min_length=1)
    range: tuple[float, float] | None = None
    sampling_params: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _rises(self) -> "ScoreModel":
        if self.range is not None and self.range[0] >= self.range[1]:
            raise ValueError("the range must rise, for example [0, 1]")
        return self


class LabelModel(_Grader):
    """A model that names a label."""

    type: Literal["label_model"]
    name: _Name
    model: _Name
    input: list[GraderMessage] = Field(min_length=1)
    labels: list[str] = Field(min_length=1)
    passing_labels: list[str] = Field(min_length=1)

    @model_validator(mode="after")
    def _passes_known(self) -> "LabelModel":
        strange = set(self.passing_labels) - set(self.labels)
        if strange:
            raise ValueError(f'"{sorted(strange)[0]}" passes, but is none of the labels')
        return self


_Single = Annotated[
    StringCheck | TextSimilarity | PythonSource | ScoreModel | LabelModel,
    Field(discriminator="type"),
]


class Multi(_Grader):
    """Several graders and the formula that makes one score of theirs."""

    type: Literal["multi"]
    name: _Name
    graders: dict[str, _Single] = Field(min_length=1)
    calculate_output: str = Field(min_length=1)


_ANY: Final[TypeAdapter[Any]] = TypeAdapter(
    Annotated[
        StringCheck | TextSimilarity | PythonSource | ScoreModel | LabelModel | Multi,
        Field(discriminator="type"),
    ]
)


def read_grader(path: Path) -> dict[str, Any]:
    """Read a grader from a JSON file; raises UnreadableInput or WrongUse that names what is wrong."""
    if not path.exists():
        raise UnreadableInput(f"There is no grader file {path}.", path)
    try:
        value = loads(read_regular(path).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UnreadableInput(f"The grader {path} cannot be read: {error}.", path) from error
    except BadJson as error:
        raise UnreadableInput(f"The grader {path} is not JSON: {error.reason}.", path) from error
    if not isinstance(value, dict):
        raise UnreadableInput(f"The grader {path} is not a JSON object.", path)
    return dict(value)


def check_grader(grader: Mapping[str, Any], kinds: tuple[str, ...]) -> dict[str, Any]:
    """Return a grader as it is sent; raises WrongUse where it is none a service of these kinds takes."""
    kind = grader.get("type")
    if kind not in kinds:
        offered = ", ".join(kinds) or "none"
        raise WrongUse(
            f'A grader of the type "{kind}" is not taken here; the service has {offered}.'
        )
    if kind == "lambda":
        return _function_of(grader)
    try:
        _ANY.validate_python(dict(grader))
    except ValidationError as error:
        first = error.errors()[0]
        # The first part of the place is the type that was chosen.
        where = ".".join(str(part) for part in first["loc"][1:]) or "the grader"
        words = first["msg"].removeprefix("Value error, ")
        raise WrongUse(f"The grader is not complete: {where}: {words}.") from None
    for place, field in _places(grader):
        if place == "item" and not _FIELD.fullmatch(field):
            raise WrongUse(
                f'The grader names "{{{{item.{field}}}}}": a field is letters, digits and _ with '
                "dots between, without spaces or numbered places."
            )
    return dict(grader)


def _function_of(grader: Mapping[str, Any]) -> dict[str, Any]:
    """Return a grader that is a function of one's own at Amazon: sent as it is, its shape is theirs."""
    if not any(text.startswith("arn:aws") for text in _texts(grader)):
        raise WrongUse("A lambda grader names its function by an ARN that begins with arn:aws.")
    return dict(grader)


def fields_of(grader: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields of a training row that a grader reads, each once, in order."""
    return tuple(dict.fromkeys(field for place, field in _places(grader) if place == "item"))


def row_faults(rows: Iterable[tuple[int, str]], grader: Mapping[str, Any]) -> list[str]:
    """Return what keeps training rows from being trained by reinforcement: at most some sentences.

    rows are pairs of line (1-based) and its JSON text. A row ends with a user message, has no system
    message and holds every field the grader reads (OpenAI's FineTuneReinforcementRequestInput).
    """
    fields = fields_of(grader)
    found: list[str] = []
    count = 0
    for number, line in rows:
        fault = _fault(line, fields)
        if fault:
            count += 1
            if count <= _SHOWN:
                found.append(f"Line {number} cannot be trained by reinforcement: {fault}.")
    if count > _SHOWN:
        found.append(f"So it is with {counted(count - _SHOWN, 'more line')}.")
    return found


def _fault(line: str, fields: tuple[str, ...]) -> str:
    try:
        record = Record.parse(line, Kind.REINFORCEMENT)
    except BadJson as error:
        return error.reason
    if record.unasked:
        return record.unasked
    missing = next((field for field in fields if record.item(field) is None), None)
    return f'the grader reads "{missing}", which the row does not have' if missing else ""


def _places(grader: object) -> Iterator[tuple[str, str]]:
    """Yield item and sample places of every text in a grader."""
    for text in _texts(grader):
        yield from ((found[1], found[2]) for found in _PLACE.finditer(text))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)


def shown(grader: Mapping[str, Any]) -> str:
    """Return a grader as text a person can change."""
    return json.dumps(grader, indent=2, ensure_ascii=False)
