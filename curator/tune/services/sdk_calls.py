"""The exact call of a start by a service's own SDK and by curl, for those who script."""

import json
import pprint
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curator.tune.services import together
from curator.tune.targets.addresses import root_of

if TYPE_CHECKING:
    from curator.tune.targets.profiles import Target

_SPLITS = ("train", "validation")
ID_OF_ANSWER = """python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])'"""
"""Reads the id of an uploaded file from a server's answer, in a shell."""


def python_call(
    target: "Target", arguments: Mapping[str, Any], splits: Sequence[str], folder: Path = Path()
) -> str:
    """Return a Python script that uploads and creates the very job a start would.

    arguments are those of OpenAI's create, each file named FILE_ID_OF_ and its split.
    """
    return "\n".join(_together_python(target, arguments, splits, folder)) + "\n"


def with_ids(text: str) -> str:
    """Put the ids of the uploaded files, kept in the shell, into a quoted body."""
    for split in _SPLITS:
        name = split.upper()
        text = text.replace(f"FILE_ID_OF_{name}", f"'\"${name}\"'")
    return text


def curl_call(
    target: "Target", arguments: Mapping[str, Any], splits: Sequence[str], folder: Path = Path()
) -> str:
    """Return the same as lines of a shell."""
    return "\n\n".join(_together_curl(target, arguments, splits, folder)) + "\n"


def _together_python(
    target: "Target", arguments: Mapping[str, Any], splits: Sequence[str], folder: Path
) -> list[str]:
    return [
        *_head("together", "Together", target, f"base_url={root_of(target.url)!r}"),
        *(
            f'{s} = client.files.upload({str(folder / f"{s}.jsonl")!r}, purpose="fine-tune")'
            for s in splits
        ),
        *_create("client.fine_tuning.create", together.job_arguments(arguments), "{}.id"),
        "print(job.id, job.status)",
    ]


def _together_curl(
    target: "Target", arguments: Mapping[str, Any], splits: Sequence[str], folder: Path
) -> list[str]:
    body = together.request_body(together.job_arguments(arguments))
    return [
        *(
            f"{split.upper()}=$(together files upload {shlex.quote(str(folder / split))}.jsonl"
            f" | {ID_OF_ANSWER})"
            for split in splits
        ),
        _post(target, f"{root_of(target.url)}/v1/fine-tunes", body),
    ]


def _head(module: str, name: str, target: "Target", more: str) -> list[str]:
    return [
        "import os",
        "from pathlib import Path",
        "",
        f"from {module} import {name}",
        "",
        f"client = {name}(",
        f"    api_key=os.environ[{target.key_env!r}],",
        f"    {more},",
        "    max_retries=0,  # a create that is repeated may start a second paid job",
        ")",
    ]


def _create(verb: str, arguments: Mapping[str, Any], file: str) -> list[str]:
    lines = [f"job = {verb}("]
    for name, value in arguments.items():
        shown = pprint.pformat(value, width=88, sort_dicts=False)
        for split in _SPLITS:
            shown = shown.replace(repr(f"FILE_ID_OF_{split.upper()}"), file.format(split))
        lines.append(f"    {name}={shown},".replace("\n", "\n    "))
    return [*lines, ")"]


def _post(target: "Target", address: str, body: Mapping[str, Any]) -> str:
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return (
        f"curl {shlex.quote(address)} {_key(target)} "
        f"-H 'Content-Type: application/json' -d {with_ids(shlex.quote(text))}"
    )


def _key(target: "Target") -> str:
    return f'-H "Authorization: Bearer ${target.key_env}"'
