"""The exact call of a start, for those who script: as Python, curl and a verb, the key only by its name.

Nothing in them is left to fill in: files stand with their paths, and what a server answers to an
upload goes into the call that creates the job.
"""

import shlex
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from curator.dataset.invocation import command
from curator.tune.jobs.recipe import Recipe
from curator.tune.services import sdk_calls as services
from curator.tune.services.sdk_client import PACKAGES


def verb_call(recipe: Recipe, folder: Path) -> str:
    """Return the line for a terminal that starts the very job; empty where a grader's file is needed."""
    if recipe.grader is not None:
        return ""
    words: list[object] = ["train", folder, "--target", recipe.target.id, "--base", recipe.base]
    words += ["--method", recipe.method]
    for name, value in recipe.settings.items():
        words += ["--set", f"{name}={value}"]
    for option, chosen in (("--suffix", recipe.suffix), ("--seed", recipe.seed)):
        words += [option, chosen] if chosen not in ("", None) else []
    words += ["--wandb", recipe.wandb["project"]] if recipe.wandb else []
    return f"{command(*words)}\n"


def python_call(recipe: Recipe, *, has_validation: bool, folder: Path = Path()) -> str:
    """Return a Python script that uploads the files of a folder and creates the very job a start would."""
    target = recipe.target
    arguments = _arguments(recipe, has_validation=has_validation)
    splits = _splits(has_validation=has_validation)
    if target.protocol in PACKAGES:
        return services.python_call(target, arguments, splits, folder)
    lines = _client(recipe)
    for split in splits:
        file = str(folder / f"{split}.jsonl")
        lines.append(f'{split} = client.files.create(file=Path({file!r}), purpose="fine-tune")')
    lines += services.create_lines("client.fine_tuning.jobs.create", arguments)
    return "\n".join(lines) + "\n"


def _client(recipe: Recipe) -> list[str]:
    target = recipe.target
    once = "    max_retries=0,  # a create that is repeated may start a second paid job"
    if target.protocol == "local":
        from curator.tune.local.server.announcement import announcement, token_file

        return [
            "import json",
            "from pathlib import Path",
            "",
            "from openai import OpenAI",
            "",
            f"# The server of this computer must run: {command('serve')}",
            "client = OpenAI(",
            f"    base_url=json.loads(Path({str(announcement())!r}).read_text())['base_url'],",
            f"    api_key=Path({str(token_file())!r}).read_text().strip(),",
            once,
            ")",
        ]
    key = f"os.environ[{target.key_env!r}]" if target.auth != "none" else '"none"'
    return [
        "import os",
        "from pathlib import Path",
        "",
        "from openai import OpenAI",
        "",
        "client = OpenAI(",
        f"    base_url={target.url!r},",
        f"    api_key={key},",
        *_headers(recipe),
        once,
        ")",
    ]


def curl_call(recipe: Recipe, *, has_validation: bool, folder: Path = Path()) -> str:
    """Return the same as lines of a shell: each upload's answer is kept and goes into the last call."""
    splits = _splits(has_validation=has_validation)
    if recipe.target.protocol in PACKAGES:
        arguments = _arguments(recipe, has_validation=has_validation)
        return services.curl_call(recipe.target, arguments, splits, folder)
    head = _curl_head(recipe)
    files = shlex.quote(_with_query(recipe, "/files"))
    lines = []
    for name in splits:
        file = shlex.quote(f"file=@{folder / name}.jsonl")
        upload = f"curl -sS {files} {head} -F purpose=fine-tune -F {file}"
        lines.append(f"{name.upper()}=$({upload} | {services.ID_OF_ANSWER})")
    body = _arguments(recipe, has_validation=has_validation)
    extra = body.pop("extra_body", {})
    lines.append(services.post(_with_query(recipe, "/fine_tuning/jobs"), head, {**body, **extra}))
    return "\n\n".join(lines) + "\n"


def _splits(*, has_validation: bool) -> tuple[str, ...]:
    return ("train", "validation") if has_validation else ("train",)


def _arguments(recipe: Recipe, *, has_validation: bool) -> dict[str, Any]:
    validation = services.FILE.format("VALIDATION") if has_validation else ""
    # A name of its own, by which the job can be found again; Python and curl show the same one.
    token = uuid.uuid5(uuid.NAMESPACE_URL, f"{recipe.target.url} {recipe}")
    return dict(recipe.arguments(services.FILE.format("TRAIN"), validation, str(token)))


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
