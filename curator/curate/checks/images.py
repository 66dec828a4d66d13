"""Rules V: content parts and images."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from curator.curate.checks.addresses import fault_of
from curator.curate.checks.subject import Subject, Trouble, shown, trouble
from curator.dataset.conversation import kind_of
from curator.dataset.json_values import Json
from curator.dataset.rule import load_rules

_TAKEN: Final = ("jpeg", "jpg", "png", "webp")
_REFUSED: Final = (
    "gif",
    "bmp",
    "tiff",
    "tif",
    "svg",
    "svg+xml",
    "heic",
    "heif",
    "avif",
    "ico",
    "pdf",
)
_DETAILS: Final = ("auto", "low", "high")
_FETCH_NOTHING: Final = ("together",)
"""The rules profiles whose services take the image itself only."""
_MEGABYTE: Final = 1_000_000


class _Image(NamedTuple):
    message: int
    field: str
    url: str
    detail: Json


def image_place(subject: Subject) -> Iterator[Trouble]:
    """V01: an image that is not in a user message."""
    for image in _images(subject):
        role = subject.roles[image.message]
        if role != "user":
            yield trouble(image.message, image.field, role=shown(role) or "no role")


def image_type(subject: Subject) -> Iterator[Trouble]:
    """V02: an image type that is skipped; an address that does not tell its type passes."""
    for image in _images(subject):
        kind = image_kind(image.url)
        if kind in _REFUSED or (kind and image.url.startswith("data:") and kind not in _TAKEN):
            yield trouble(image.message, image.field, kind=shown(kind))


def image_count(subject: Subject) -> Iterator[Trouble]:
    """V03: more images than one example may have."""
    limit = load_rules()["V03"].limit_for(subject.profile)
    count = sum(1 for _ in _images(subject))
    if count > limit:
        yield trouble(count=count, limit=limit)


def image_size(subject: Subject) -> Iterator[Trouble]:
    """V04: an image inside the line that is too large; addresses are not fetched."""
    limit = load_rules()["V04"].limit_for(subject.profile)
    for image in _images(subject):
        if image.url.startswith("data:"):
            size = (len(image.url) - image.url.find(",") - 1) * 3 / 4 / _MEGABYTE
            if size > limit:
                yield trouble(image.message, image.field, size=f"{size:.1f}", limit=limit)


def image_address_fault(subject: Subject) -> Iterator[Trouble]:
    """V07: an address that the service cannot read an image from."""
    may_fetch = subject.profile not in _FETCH_NOTHING
    for image in _images(subject):
        # An image without an address is a part that cannot be trained, which another rule says.
        fault = fault_of(image.url, may_fetch=may_fetch) if image.url else None
        if fault:
            place = (image.message, f"{image.field}.image_url.url")
            yield trouble(*place, problem=fault.problem, way_out=fault.way_out)


def image_detail(subject: Subject) -> Iterator[Trouble]:
    """V08: a detail that the schema does not know."""
    for image in _images(subject):
        if image.detail is not None and image.detail not in _DETAILS:
            yield trouble(image.message, image.field, value=shown(image.detail) or "empty")


def mixed_contents(subject: Subject) -> Iterator[Trouble]:
    """V09: plain texts beside lists of parts."""
    contents = [message.get("content") for message in subject.messages]
    if not any(isinstance(content, list) for content in contents):
        return
    for index, content in enumerate(contents):
        if isinstance(content, str):
            yield trouble(index, "content", role=shown(subject.roles[index]) or "no role")


def foreign_text_part(subject: Subject) -> Iterator[Trouble]:
    """V10: a text in a part that other services call otherwise."""
    for index, number, part in _parts(subject):
        if is_foreign_text(part):
            yield trouble(
                index,
                f"content[{number}]",
                role=shown(subject.roles[index]) or "no role",
                problem=part_problem(part, subject.roles[index]),
            )


def is_foreign_text(part: Json) -> bool:
    """Say whether a part is a text by another name."""
    return foreign_text(part) is not None


def foreign_text(part: Json) -> str | None:
    """Return the words of a part that is a text by another name; None for any other part."""
    if not isinstance(part, dict) or "image_url" in part:
        return None
    kind, words = part.get("type"), part.get("text")
    if kind == "text" and words is None:
        words = next((part[key] for key in ("value", "content") if key in part), None)
    elif kind not in (None, "input_text", "output_text"):
        return None
    return words if isinstance(words, str) and words else None


def unsupported_part(subject: Subject) -> Iterator[Trouble]:
    """V05: a part that is neither a text nor an image nor a refusal of the assistant."""
    for index, number, part in _parts(subject):
        problem = part_problem(part, subject.roles[index])
        if problem and not is_foreign_text(part):
            yield trouble(
                index,
                f"content[{number}]",
                role=shown(subject.roles[index]) or "no role",
                problem=problem,
            )


def part_problem(part: Json, role: str) -> str:
    """Say what is wrong with a content part; empty where nothing is."""
    if not isinstance(part, dict):
        return f"that is {kind_of(part)}"
    kind = part.get("type")
    if kind == "text":
        return "" if isinstance(part.get("text"), str) else "of type text without a text"
    if kind == "image_url":
        return "" if image_address(part) else "of type image_url without an address"
    if kind == "refusal" and role == "assistant":
        return ""
    return f"of the type “{shown(kind)}”" if isinstance(kind, str) else "without a type"


def image_address(part: Json) -> str:
    """Return an image part's address; empty where it has none."""
    holder = part.get("image_url") if isinstance(part, dict) else None
    url = holder.get("url") if isinstance(holder, dict) else None
    return url if isinstance(url, str) else ""


def image_kind(url: str) -> str:
    """Return the type an image address tells: from its data header or its ending; empty for none."""
    if url.startswith("data:"):
        header = url[5 : url.find(",")] if "," in url[:200] else url[5:100]
        return header.split(";")[0].removeprefix("image/").strip().lower()
    path = url.split("?")[0].split("#")[0].rsplit("/", 1)[-1]
    return path.rsplit(".", 1)[1].lower() if "." in path else ""


def _parts(subject: Subject) -> Iterator[tuple[int, int, Json]]:
    for index, message in enumerate(subject.messages):
        content = message.get("content")
        for number, part in enumerate(content if isinstance(content, list) else ()):
            yield index, number, part


def _images(subject: Subject) -> Iterator[_Image]:
    for index, number, part in _parts(subject):
        if isinstance(part, dict) and part.get("type") == "image_url":
            holder = part.get("image_url")
            detail = holder.get("detail") if isinstance(holder, dict) else None
            yield _Image(index, f"content[{number}]", image_address(part), detail)


CHECKS: Final = (
    ("V01", image_place),
    ("V02", image_type),
    ("V03", image_count),
    ("V04", image_size),
    ("V05", unsupported_part),
    ("V07", image_address_fault),
    ("V08", image_detail),
    ("V09", mixed_contents),
    ("V10", foreign_text_part),
)
