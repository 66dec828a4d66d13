"""Rule S25: keys that do not belong below a message or into a tool definition, at every depth."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Final, NamedTuple

from curator.curate.checks.subject import CALLED_KEYS, Subject, Trouble, shown, trouble, where
from curator.dataset.json_values import Json

_CALL: Final = frozenset({"id", "type", "function"})
_TOOL: Final = frozenset({"type", "function"})
_FUNCTION: Final = frozenset({"name", "description", "parameters", "strict"})
_LEGACY_FUNCTION: Final = _FUNCTION - {"strict"}
_IMAGE: Final = frozenset({"url", "detail"})
_PARTS: Final[Mapping[str, frozenset[str]]] = {
    "text": frozenset({"type", "text"}),
    "image_url": frozenset({"type", "image_url"}),
    "refusal": frozenset({"type", "refusal"}),
}
"""The keys of each type of part; what other types are is another rule's to say."""


class Holder(NamedTuple):
    """An object below a message or the line, and the keys it may have.

    body names the key that says what the object is for; inside the key of an object within it that may
    have the keys of inner.
    """

    message: int | None
    path: str
    fields: Mapping[str, Json]
    allowed: frozenset[str]
    body: str
    inside: str = ""
    inner: frozenset[str] = frozenset()

    @property
    def unknown(self) -> list[str]:
        """The keys that do not belong here."""
        return [key for key in self.fields if key not in self.allowed]

    def is_misplaced(self, key: str) -> bool:
        """Say whether a key belongs into the object within, which lacks it."""
        within = self.fields.get(self.inside)
        return key in self.inner and isinstance(within, dict) and key not in within

    def meant(self, key: str) -> str:
        """Return the known key that a key may stand for: one spelt nearly alike, or the missing body."""
        near = meant_key(key, self.allowed - self.fields.keys())
        has_body = self.fields.get(self.body) is not None
        return near or ("" if has_body or self.fields[key] is None else self.body)


def unknown_inner_keys(subject: Subject) -> Iterator[Trouble]:
    """S25: an unknown key in a call, a part, an image or a definition."""
    for holder in holders(subject):
        message = holder.message
        for key in holder.unknown:
            meant = holder.meant(key)
            yield trouble(
                message,
                holder.path,
                where=where(message, "" if message is None else subject.roles[message]),
                key=shown(key),
                path=holder.path,
                way_out=f'Move it into "{holder.inside}".'
                if holder.is_misplaced(key)
                else way_out(meant),
                fixable=not meant or holder.is_misplaced(key),
            )


def holders(subject: Subject) -> Iterator[Holder]:
    """Yield every object below the messages and the line whose keys are known."""
    for index, message in enumerate(subject.messages):
        yield from _of_parts(index, message.get("content"))
        yield from _of_calls(index, message)
    for key in ("tools", "functions"):
        listed = subject.fields.get(key)
        for number, entry in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(entry, dict):
                yield from _of_definition(key, f"{key}[{number}]", entry)


def _of_parts(index: int, content: Json) -> Iterator[Holder]:
    for number, part in enumerate(content if isinstance(content, list) else ()):
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str) or kind not in _PARTS:
            continue
        path = f"content[{number}]"
        if kind != "image_url":
            yield Holder(index, path, part, _PARTS[kind], kind)
            continue
        yield Holder(index, path, part, _PARTS[kind], kind, kind, _IMAGE)
        if isinstance(part.get("image_url"), dict):
            yield Holder(index, f"{path}.image_url", part["image_url"], _IMAGE, "url")


def _of_calls(index: int, message: Mapping[str, Json]) -> Iterator[Holder]:
    listed = message.get("tool_calls")
    for number, call in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(call, dict):
            path = f"tool_calls[{number}]"
            yield Holder(index, path, call, _CALL, "function", "function", CALLED_KEYS)
            if isinstance(call.get("function"), dict):
                yield Holder(index, f"{path}.function", call["function"], CALLED_KEYS, "arguments")
    legacy = message.get("function_call")
    if isinstance(legacy, dict):
        yield Holder(index, "function_call", legacy, CALLED_KEYS, "arguments")


def _of_definition(key: str, path: str, entry: dict[str, Json]) -> Iterator[Holder]:
    if key == "functions":
        yield Holder(None, path, entry, _LEGACY_FUNCTION, "parameters")
    elif "function" not in entry:
        # A definition whose parts are not inside "function" is put right as a whole first.
        yield Holder(None, path, entry, _TOOL | _FUNCTION, "parameters")
    else:
        yield Holder(None, path, entry, _TOOL, "function", "function", _FUNCTION)
        if isinstance(entry["function"], dict):
            yield Holder(None, f"{path}.function", entry["function"], _FUNCTION, "parameters")


def meant_key(key: str, missing: Collection[str]) -> str:
    """Return the known key that a misspelt one stands for, such as parameters for parameter."""
    word = key.strip().lower().replace("-", "_")
    return next(iter(get_close_matches(word, sorted(missing), 1, 0.8)), "")


def way_out(meant: str) -> str:
    """Say what to do with a key: correct a misspelt one, whose value would be lost from training."""
    return f'If it should be "{meant}", correct it.' if meant else "Move it to the metadata."


CHECKS: Final = (("S25", unknown_inner_keys),)
