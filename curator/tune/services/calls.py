"""The exact call of a start by a service's own SDK and by curl, for those who script."""

import json
import pprint
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curator.tune.addresses import root_of
from curator.tune.services import fireworks, together

if TYPE_CHECKING:
    from curator.tune.targets import Target

_SPLITS = ("train", "validation")


def python_call(target: "Target", arguments: Mapping[str, Any], splits: Sequence[str]) -> str:
    """Return a Python script that uploads and creates the very job a start would.

    arguments are those of OpenAI's create, each file named FILE_ID_OF_ and its split.
    """
    make = _together_python if target.protocol == "together" else _fireworks_python
    return "\n".join(make(target, arguments, splits)) + "\n"


def curl_call(target: "Target", arguments: Mapping[str, Any], splits: Sequence[str]) -> str:
    """Return the same as curl lines; put the names of the files into the last one."""
    make = _together_curl if target.protocol == "together" else _fireworks_curl
    return "\n\n".join(make(target, arguments, splits)) + "\n"


def _together_python(
    target: "Target", arguments: Mapping[str, Any], splits: Sequence[str]
) -> list[str]:
    return [
        *_head("together", "Together", target, f"base_url={root_of(target.url)!r}"),
        *(f'{s} = client.files.upload("{s}.jsonl", purpose="fine-tune")' for s in splits),
        *_create("client.fine_tuning.create", together.job_arguments(arguments), "{}.id"),
        "print(job.id, job.status)",
    ]


def _together_curl(
    target: "Target", arguments: Mapping[str, Any], splits: Sequence[str]
) -> list[str]:
    body = together.request_body(together.job_arguments(arguments))
    return [
        *(f"together files upload {split}.jsonl" for split in splits),
        _post(target, f"{root_of(target.url)}/v1/fine-tunes", body),
    ]


def _fireworks_python(
    target: "Target", arguments: Mapping[str, Any], splits: Sequence[str]
) -> list[str]:
    account = fireworks.account_of(target.url)
    kind, wanted = fireworks.job_arguments(arguments, account)
    lines = _head("fireworks", "Fireworks", target, f"account_id={account!r}")
    for split in splits:
        lines += [
            f'{split} = "my-{split}"  # a name that is still free',
            f'lines = Path("{split}.jsonl").read_bytes().count(b"\\n")',
            "about = {'format': 'CHAT', 'example_count': str(lines), 'user_uploaded': {}}",
            f"client.datasets.create(dataset_id={split}, dataset=about)",
            f'client.datasets.upload({split}, file=Path("{split}.jsonl"))',
        ]
    where = f"f'accounts/{account}/datasets/{{{{{{}}}}}}'"
    verb = f"client.{fireworks.RESOURCES[kind]}.create"
    return [*lines, *_create(verb, wanted, where), "print(job.name, job.state)"]


def _fireworks_curl(
    target: "Target", arguments: Mapping[str, Any], splits: Sequence[str]
) -> list[str]:
    kind, wanted = fireworks.job_arguments(arguments, fireworks.account_of(target.url))
    lines = []
    for split in splits:
        about = {"format": "CHAT", "exampleCount": "LINES", "userUploaded": {}}
        name = f"my-{split}"
        lines.append(_post(target, f"{target.url}/datasets", {"datasetId": name, "dataset": about}))
        lines.append(
            f"curl {shlex.quote(f'{target.url}/datasets/{name}:upload')} {_key(target)} "
            f"-F file=@{split}.jsonl"
        )
    place, name, body = fireworks.request_body(kind, wanted)
    lines.append(_post(target, f"{target.url}/{kind}?{place}={name}", body))
    return lines


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
        f"-H 'Content-Type: application/json' -d {shlex.quote(text)}"
    )


def _key(target: "Target") -> str:
    return f'-H "Authorization: Bearer ${target.key_env}"'
