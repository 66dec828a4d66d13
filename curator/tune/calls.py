"""The exact call of a start, for those who script: as Python and as curl, the key only by its name."""

import json
import pprint
import shlex
from typing import Any, Final
from urllib.parse import urlencode

from curator.tune.recipe import Recipe
from curator.tune.services import PACKAGES
from curator.tune.services import calls as services

_FILE: Final = "FILE_ID_OF_{}"


def python_call(recipe: Recipe, *, has_validation: bool) -> str:
    """Return a Python script that uploads and creates the very job a start would."""
    target = recipe.target
    arguments = _arguments(recipe, has_validation=has_validation)
    splits = _splits(has_validation=has_validation)
    if target.protocol in PACKAGES:
        return services.python_call(target, arguments, splits)
    key = "none" if target.auth == "none" else target.key_env
    lines = ["import os", "from pathlib import Path", "", "from openai import OpenAI", ""]
    lines += [
        "client = OpenAI(",
        f"    base_url={target.url!r},",
        '    api_key="none",' if key == "none" else f"    api_key=os.environ[{key!r}],",
        *_headers(recipe),
        "    max_retries=0,  # a create that is repeated may start a second paid job",
        ")",
    ]
    for split in splits:
        lines.append(
            f'{split} = client.files.create(file=Path("{split}.jsonl"), purpose="fine-tune")'
        )
    lines.append("job = client.fine_tuning.jobs.create(")
    for name, value in arguments.items():
        shown = pprint.pformat(value, width=88, sort_dicts=False)
        for split in ("train", "validation"):
            shown = shown.replace(repr(_FILE.format(split.upper())), f"{split}.id")
        lines.append(f"    {name}={shown},".replace("\n", "\n    "))
    lines += [")", "print(job.id, job.status)", ""]
    return "\n".join(lines)


def curl_call(recipe: Recipe, *, has_validation: bool) -> str:
    """Return the same as curl lines; put the file ids of the first answers into the last call."""
    splits = _splits(has_validation=has_validation)
    if recipe.target.protocol in PACKAGES:
        arguments = _arguments(recipe, has_validation=has_validation)
        return services.curl_call(recipe.target, arguments, splits)
    head = _curl_head(recipe)
    files = shlex.quote(_with_query(recipe, "/files"))
    lines = [f"curl {files} {head} -F purpose=fine-tune -F file=@{name}.jsonl" for name in splits]
    body = _arguments(recipe, has_validation=has_validation)
    extra = body.pop("extra_body", {})
    text = json.dumps({**body, **extra}, indent=2, ensure_ascii=False)
    lines.append(
        f"curl {shlex.quote(_with_query(recipe, '/fine_tuning/jobs'))} {head} "
        f"-H 'Content-Type: application/json' -d {shlex.quote(text)}"
    )
    return "\n\n".join(lines) + "\n"


def _splits(*, has_validation: bool) -> tuple[str, ...]:
    return ("train", "validation") if has_validation else ("train",)


def _arguments(recipe: Recipe, *, has_validation: bool) -> dict[str, Any]:
    validation = _FILE.format("VALIDATION") if has_validation else ""
    arguments = recipe.arguments(_FILE.format("TRAIN"), validation, "any-text-you-can-find-again")
    return dict(arguments)


def _headers(recipe: Recipe) -> list[str]:
    target = recipe.target
    shown = [f"{name!r}: {value!r}" for name, value in target.headers.items()]
    if target.auth == "api-key":
        shown.append(f"{target.key_header!r}: os.environ[{target.key_env!r}]")
    lines = [f"    default_headers={{{', '.join(shown)}}},"] if shown else []
    return [*lines, f"    default_query={target.parameters!r},"] if target.query else lines


def _with_query(recipe: Recipe, path: str) -> str:
    query = urlencode(recipe.target.parameters)
    return f"{recipe.target.url}{path}{'?' + query if query else ''}"


def _curl_head(recipe: Recipe) -> str:
    target = recipe.target
    parts = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in target.headers.items()]
    if target.auth == "bearer":
        parts.insert(0, f'-H "Authorization: Bearer ${target.key_env}"')
    elif target.auth == "api-key":
        parts.insert(0, f'-H "{target.key_header}: ${target.key_env}"')
    return " ".join(parts)
