"""Rules V: content parts and images."""

from collections.abc import Iterator
from typing import Final, NamedTuple

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
_MEGABYTE: Final = 1_000_000


class _Image(NamedTuple):
    message: int
    field: str
    url: str


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


def unsupported_part(subject: Subject) -> Iterator[Trouble]:
    """V05: a part that is neither a text nor an image nor a refusal of the assistant."""
    for index, message in enumerate(subject.messages):
        content = message.get("content")
        for number, part in enumerate(content if isinstance(content, list) else ()):
            problem = part_problem(part, subject.roles[index])
            if problem:
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


def _images(subject: Subject) -> Iterator[_Image]:
    for index, message in enumerate(subject.messages):
        content = message.get("content")
        for number, part in enumerate(content if isinstance(content, list) else ()):
            if isinstance(part, dict) and part.get("type") == "image_url":
                yield _Image(index, f"content[{number}]", image_address(part))


CHECKS: Final = (
    ("V01", image_place),
    ("V02", image_type),
    ("V03", image_count),
    ("V04", image_size),
    ("V05", unsupported_part),
)
