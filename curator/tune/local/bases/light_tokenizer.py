"""A base's tokenizer and chat template without torch and transformers: what a reply needs, no more.

Reads the tokenizer.json and the template of a folder as transformers does; its ids and texts are the
same (a test compares the two). It answers to the few names that encoding.py calls.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from curator.tune.local.job_folders import read_json

_SPECIAL: Final = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token")
_AS_WRITTEN: Final = ("TokenizersBackend", "PreTrainedTokenizerFast")
"""Kinds of tokenizer that transformers takes from the file as it stands; it fixes others first."""


class LightTokenizer:
    """Encodes prompts and decodes replies by the files of a base's folder."""

    def __init__(self, folder: Path) -> None:
        from fastokens import Tokenizer

        described = (folder / "tokenizer.json").read_text("utf-8")
        settings = read_json(folder / "tokenizer_config.json")
        self._rows = Tokenizer.from_json_str(described)
        self._named = {name: _text(settings[name]) for name in _SPECIAL if settings.get(name)}
        self.name_or_path = str(folder)
        self.chat_template = _template_of(folder) or ""
        self._template = _compiled(self.chat_template)
        added = json.loads(described).get("added_tokens") or ()
        self._added: dict[str, int] = {entry["content"]: entry["id"] for entry in added}
        special = [entry["content"] for entry in added if entry.get("special")]
        self.all_special_tokens: list[str] = list(dict.fromkeys([*self._named.values(), *special]))
        end = self._named.get("eos_token")
        self.eos_token_id: int | None = self._rows.token_to_id(end) if end else None

    def get_added_vocab(self) -> dict[str, int]:
        """Return the tokens that stand beside the learned ones, special or not."""
        return dict(self._added)

    def apply_chat_template(
        self,
        messages: Sequence[Any],
        *,
        tools: Sequence[Any] | None = None,
        add_generation_prompt: bool = False,
        tokenize: bool = False,
    ) -> str:
        """Return a conversation as the base's template writes it; raises jinja2's errors."""
        assert not tokenize
        text: str = self._template.render(
            messages=list(messages),
            tools=tools,
            documents=None,
            add_generation_prompt=add_generation_prompt,
            **self._named,
        )
        return text

    def __call__(
        self,
        text: str,
        *,
        add_special_tokens: bool = False,
        split_special_tokens: bool = False,
        return_offsets_mapping: bool = False,
    ) -> dict[str, list[Any]]:
        """Return the ids of a text; where it stands in the text is not known and said as 0."""
        ids = self._rows.encode(
            text, add_special_tokens=add_special_tokens, split_special_tokens=split_special_tokens
        ).ids
        found: dict[str, list[Any]] = {"input_ids": list(ids)}
        if return_offsets_mapping:
            found["offset_mapping"] = [(0, 0)] * len(ids)
        return found

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """Return the text of ids."""
        text: str = self._rows.decode(list(ids), skip_special_tokens=skip_special_tokens)
        return text


def can_read(folder: Path) -> bool:
    """Tell whether a folder has what a LightTokenizer reads, and reads as transformers does."""
    if not all((folder / name).is_file() for name in ("tokenizer.json", "tokenizer_config.json")):
        return False
    kind = read_json(folder / "tokenizer_config.json").get("tokenizer_class")
    return kind in _AS_WRITTEN and _template_of(folder) is not None


def _template_of(folder: Path) -> str | None:
    """Return the folder's chat template; None where it has none, or several to choose from."""
    place = folder / "chat_template.jinja"
    if place.is_file():
        return place.read_text("utf-8")
    written = read_json(folder / "tokenizer_config.json").get("chat_template")
    return written if isinstance(written, str) else None


def _text(token: Any) -> str:
    return str(token["content"] if isinstance(token, dict) else token)


def _compiled(source: str) -> Any:
    """Compile a template in a sandbox as narrow as the one of transformers, with the same words."""
    import jinja2
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> str:
        raise jinja2.TemplateError(message)

    room = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _generation()]
    )
    room.filters["tojson"] = _to_json
    room.globals["raise_exception"] = refuse
    room.globals["strftime_now"] = lambda form: datetime.now().astimezone().strftime(form)
    room.globals["dict"] = _Dict()
    room.globals["namespace"] = _namespace()
    return room.from_string(source)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,  # noqa: FBT001, FBT002 - a template may give it by place
    indent: Any = None,
    separators: Any = None,
    sort_keys: bool = False,  # noqa: FBT001, FBT002
) -> str:
    """Write JSON as it is: jinja2's own filter writes HTML's signs in another way."""
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


class _Dict:
    """What a template gets for dict: a way to make one, not the type with all that hangs on it."""

    def __call__(self, *arguments: Any, **named: Any) -> dict[Any, Any]:
        """Return a dictionary."""
        return dict(*arguments, **named)

    def fromkeys(self, *arguments: Any) -> dict[Any, Any]:
        """Return a dictionary with one value for all keys."""
        return dict.fromkeys(*arguments)


def _namespace() -> Any:
    """Return the kind of namespace that takes no name from which Python's insides are reached."""
    import jinja2

    class Space(jinja2.utils.Namespace):  # type: ignore[misc] # of the trainer's packages
        def __init__(*arguments: Any, **named: Any) -> None:  # a template may name one "self"
            values = dict(*arguments[1:], **named)
            for name in values:
                _refuse_hidden(name)
            jinja2.utils.Namespace.__init__(arguments[0], values)

        def __setitem__(self, name: str, value: Any) -> None:
            _refuse_hidden(name)
            super().__setitem__(name, value)

    return Space


def _refuse_hidden(name: Any) -> None:
    import jinja2

    if isinstance(name, str) and name.startswith("_"):
        raise jinja2.exceptions.SecurityError(f"a template may not set {name!r}")


def _generation() -> Any:
    """Return the extension that lets a template mark what an assistant says; the mark says nothing."""
    from jinja2 import nodes
    from jinja2.ext import Extension

    class Generation(Extension):  # type: ignore[misc] # of the trainer's packages
        tags = {"generation"}  # noqa: RUF012 - jinja2's way

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body, lineno=line)

    return Generation
