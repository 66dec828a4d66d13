"""What a check looks at: one conversation laid open, and the trouble a check reports."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeGuard

from curator.curate.checks.finder import texts_to_read
from curator.dataset.conversation import ROLES, Conversation, kind_of
from curator.dataset.finding import Place
from curator.dataset.json_values import BadJson, Json, dumps, loads, string_values

USUAL_ROLES: Final[Mapping[str, str]] = {
    "human": "user",
    "prompter": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "ai": "assistant",
    "observation": "tool",
    "ipython": "tool",
    "function_response": "tool",
    "tool_response": "tool",
    "sys": "system",
}
"""What other formats call the four roles."""

KNOWN_ROLES: Final = frozenset(ROLES)

REINFORCEMENT: Final = "openai_rft"
"""The rules profile whose system messages are called developer."""

CALLED_KEYS: Final = frozenset({"name", "arguments"})

PLAIN_KEYS: Final = frozenset({"role", "content", "weight"})

TOOL_KEYS: Final = frozenset({"tools", "functions", "parallel_tool_calls"})


class Trouble(NamedTuple):
    """One thing a check found: where, the words for the rule's message, and whether its fix fits."""

    place: Place
    values: Mapping[str, object]
    fixable: bool = True


class Text(NamedTuple):
    """One piece of text: message index (none for the line's own), field path, role, and the words.

    is_decoded says that the words are those of JSON inside a text, whose escapes were resolved.
    """

    message: int | None
    field: str
    role: str
    words: str
    is_decoded: bool = False


class Call(NamedTuple):
    """One tool call, whatever its form: legacy function_call counts as a call without an id.

    has_more says that its function has other keys than those of a call.
    """

    message: int
    field: str
    id: str
    name: str
    arguments: Json
    is_legacy: bool
    has_more: bool


class Definition(NamedTuple):
    """One tool definition: where it stands, its name and its parameter schema."""

    field: str
    name: str
    parameters: Json


class Subject:
    """One conversation, its odd values already sorted out so that no check has to fear them."""

    def __init__(
        self,
        conversation: Conversation,
        profile: str,
        limit: int | None = None,
        tokens: int | None = None,
        raw: str | None = None,
    ) -> None:
        self.fields = conversation.fields
        self.profile = profile
        self.limit = limit
        self.tokens = tokens
        self.raw = raw
        listed = self.fields.get("messages")
        self.entries: list[Json] = listed if isinstance(listed, list) else []
        self.messages: list[dict[str, Json]] = [
            entry if isinstance(entry, dict) else {} for entry in self.entries
        ]
        alike = ("system", "developer") if profile == REINFORCEMENT else ("developer", "system")
        usual = [usual_role(message.get("role")) for message in self.messages]
        self.roles = [alike[1] if role == alike[0] else role for role in usual]

    @cached_property
    def has_tools(self) -> bool:
        """Whether anything here speaks of tools or functions."""
        return bool(TOOL_KEYS & self.fields.keys()) or any(
            "tool_calls" in message or "function_call" in message or role in ("tool", "function")
            for message, role in zip(self.messages, self.roles, strict=True)
        )

    @cached_property
    def has_parts(self) -> bool:
        """Whether any content is a list of parts."""
        return any(isinstance(message.get("content"), list) for message in self.messages)

    @cached_property
    def texts(self) -> list[Text]:
        """Every non-empty text of every message, part by part."""
        return list(self._texts())

    @cached_property
    def suspect_texts(self) -> list[Text]:
        """The texts that a quick look could not prove plain."""
        numbers = texts_to_read([text.words for text in self.texts])
        return [self.texts[number] for number in sorted(numbers)]

    @cached_property
    def suspect_strings(self) -> list[Text]:
        """The suspect texts, and the strings anywhere else in the line that are suspect too."""
        others = list(self._other_strings())
        numbers = texts_to_read([text.words for text in others])
        return [*self.suspect_texts, *(others[number] for number in sorted(numbers))]

    def _other_strings(self) -> Iterator[Text]:
        """Yield the strings that are no text of a message, calls and definitions above all."""
        known = {(text.message, text.field) for text in self.texts}
        for index, entry in enumerate(self.entries):
            if isinstance(entry, dict) and entry.keys() <= PLAIN_KEYS:
                entry = {"content": entry.get("content")}
            for field, words in string_values(entry):
                if (index, field) not in known:
                    yield _decoded(index, field, self.roles[index], words)
        for key, value in self.fields.items():
            if key != "messages":
                for field, words in string_values(value, key):
                    yield _decoded(None, field, "", words)

    def _texts(self) -> Iterator[Text]:
        for index, message in enumerate(self.messages):
            role = self.roles[index]
            content = message.get("content")
            if isinstance(content, str):
                if content:
                    yield Text(index, "content", role, content)
            elif isinstance(content, list):
                for number, part in enumerate(content):
                    words = part.get("text") if isinstance(part, dict) else None
                    if isinstance(words, str) and words:
                        yield Text(index, f"content[{number}].text", role, words)

    @cached_property
    def calls(self) -> list[Call]:
        """Every call of every assistant message; malformed ones are left out (T14 names them)."""
        return [
            call
            for index, role in enumerate(self.roles)
            if role == "assistant"
            for call in self._calls_of(index)
        ]

    def _calls_of(self, index: int) -> Iterator[Call]:
        message = self.messages[index]
        listed = message.get("tool_calls")
        for number, entry in enumerate(listed if isinstance(listed, list) else ()):
            function = entry.get("function") if isinstance(entry, dict) else None
            if isinstance(function, dict) and is_name(function.get("name")):
                yield Call(
                    index,
                    f"tool_calls[{number}]",
                    as_text(entry.get("id")),
                    function["name"],
                    function.get("arguments"),
                    is_legacy=False,
                    has_more=not function.keys() <= CALLED_KEYS,
                )
        legacy = message.get("function_call")
        if isinstance(legacy, dict) and is_name(legacy.get("name")):
            yield Call(
                index,
                "function_call",
                "",
                legacy["name"],
                legacy.get("arguments"),
                is_legacy=True,
                has_more=not legacy.keys() <= CALLED_KEYS,
            )

    @cached_property
    def definitions(self) -> list[Definition]:
        """Every usable tool or function definition."""
        found: list[Definition] = []
        for key in ("tools", "functions"):
            listed = self.fields.get(key)
            for number, entry in enumerate(listed if isinstance(listed, list) else ()):
                function = definition_body(key, entry)
                if function is not None and is_name(function.get("name")):
                    field = f"{key}[{number}]"
                    found.append(Definition(field, function["name"], function.get("parameters")))
        return found


def _decoded(message: int | None, field: str, role: str, words: str) -> Text:
    """Return a string as a text; JSON inside it, such as arguments, with its escapes resolved."""
    if "\\u" in words and words.lstrip().startswith(("{", "[")):
        try:
            return Text(message, field, role, dumps(loads(words)), is_decoded=True)
        except BadJson:
            pass
    return Text(message, field, role, words)


def definition_body(key: str, entry: Json) -> dict[str, Json] | None:
    """Return the object that names a tool: inside "function", or the entry itself where it is flat."""
    if not isinstance(entry, dict):
        return None
    if key == "functions" or "function" not in entry:
        return entry
    function = entry["function"]
    return function if isinstance(function, dict) else None


def usual_role(role: Json) -> str:
    """Return the role a message plays, other formats' words for it included; empty for none."""
    if not isinstance(role, str):
        return ""
    if role in KNOWN_ROLES:
        return role
    word = role.strip().lower()
    return word if word in KNOWN_ROLES else USUAL_ROLES.get(word, role)


def as_text(value: Json) -> str:
    """Return a string as it is and anything else as an empty one."""
    return value if isinstance(value, str) else ""


def is_name(value: Json) -> TypeGuard[str]:
    """Say whether a value is a non-empty text."""
    return isinstance(value, str) and value != ""


def shown(value: Json, limit: int = 60) -> str:
    """Return a value in a form that is short, on one line and safe to print."""
    if isinstance(value, str):
        text = value if len(value) <= limit else value[: limit - 1] + "…"
        return "".join(c if c.isprintable() else "\ufffd" for c in text)
    if value is None or isinstance(value, (bool, list, dict)):
        return "true" if value is True else "false" if value is False else kind_of(value)
    return str(value)[:limit]


def trouble(
    message: int | None = None,
    field: str = "",
    start: int | None = None,
    end: int | None = None,
    *,
    fixable: bool = True,
    **values: Any,
) -> Trouble:
    """Build a trouble; the message number people read (from 1) comes with it as n."""
    if message is not None:
        values["n"] = message + 1
    return Trouble(Place(message, field, start, end), values, fixable)


def trouble_in(text: Text, start: int, end: int, **values: Any) -> Trouble:
    """Build the trouble of a stretch of a text; in JSON whose escapes were resolved it has no place."""
    place = where(text.message, text.role)
    if text.is_decoded:
        return trouble(text.message, text.field, where=place, fixable=False, **values)
    return trouble(text.message, text.field, start, end, where=place, **values)


def where(message: int | None, role: str = "") -> str:
    """Name a place in words: the start of a sentence."""
    if message is None:
        return "This line"
    return f"Message {message + 1} ({shown(role)})" if role else f"Message {message + 1}"
