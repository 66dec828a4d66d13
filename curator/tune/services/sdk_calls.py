"""The exact call of a start by a service's own SDK and by curl, for those who script."""

import json
import pprint
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from curator.tune.services import together
from curator.tune.targets.addresses import root_of

if TYPE_CHECKING:
    from curator.tune.targets.profiles import Target

_SPLITS = ("train", "validation")
FILE: Final = "FILE_ID_OF_{}"
"""What stands for a file's id in arguments, until it is uploaded: the name of its split comes in."""

ID_OF_ANSWER = """python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])'"""
"""Reads the id of an uploaded file from a server's answer, in a shell."""


def python_call(
    target: "Target", arguments: Mapping[str, Any], splits: Sequence[str], folder: Path = Path()
) -> str:
    """Return a Python script that uploads and creates the very job a start would.

    arguments are those of OpenAI's create, each file named FILE_ID_OF_ and its split.
    """
    lines = [
        "import os",
        "from pathlib import Path",
        "",
        "from together import Together",
        "",
        "client = Together(",
        f"    api_key=os.environ[{target.key_env!r}],",
        f"    base_url={root_of(target.url)!r},",
        "    max_retries=0,  # a create that is repeated may start a second paid job",
        ")",
        *(
            f'{s} = client.files.upload({str(folder / f"{s}.jsonl")!r}, purpose="fine-tune")'
            for s in splits
        ),
        *create_lines("client.fine_tuning.create", together.job_arguments(arguments)),
    ]
    return "\n".join(lines) + "\n"


def with_ids(text: str) -> str:
    """Put the ids of the uploaded files, kept in the shell, into a quoted body."""
    for split in _SPLITS:
        name = split.upper()
        text = text.replace(FILE.format(name), f"'\"${name}\"'")
    return text


def curl_call(
    target: "Target", arguments: Mapping[str, Any], splits: Sequence[str], folder: Path = Path()
) -> str:
    """Return the same as lines of a shell."""
    body = together.request_body(together.job_arguments(arguments))
    key = f'-H "Authorization: Bearer ${target.key_env}"'
    lines = [
        *(
            f"{split.upper()}=$(together files upload {shlex.quote(str(folder / split))}.jsonl"
            f" | {ID_OF_ANSWER})"
            for split in splits
        ),
        post(f"{root_of(target.url)}/v1/fine-tunes", key, body),
    ]
    return "\n\n".join(lines) + "\n"


def create_lines(verb: str, arguments: Mapping[str, Any]) -> list[str]:
    """Return the lines of Python that create a job and show it; files stand by the names of their splits."""
    lines = [f"job = {verb}("]
    for name, value in arguments.items():
        shown = pprint.pformat(value, width=88, sort_dicts=False)
        for split in _SPLITS:
            shown = shown.replace(repr(FILE.format(split.upper())), f"{split}.id")
        lines.append(f"    {name}={shown},".replace("\n", "\n    "))
    return [*lines, ")", "print(job.id, job.status)"]


def post(address: str, headers: str, body: Mapping[str, Any]) -> str:
    """Return the line of a shell that sends a body."""
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return (
        f"curl {shlex.quote(address)} {headers} "
        f"-H 'Content-Type: application/json' -d {with_ids(shlex.quote(text))}"
    )
