"""Fetch a base from the hub of Hugging Face into a folder; runs in the trainer only.

``python -m curator.tune.local.bases.hub ID FOLDER [REVISION]`` takes safetensors, tokenizer and settings,
never code or pickle. It prints one JSON object a line: the bytes to come, then the exact revision,
or an error in words.
"""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any, Final

_WANTED: Final = re.compile(
    r"(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab"
    r"|chat_template|model\.safetensors\.index)\.json|[\w.-]+\.safetensors|merges\.txt"
    r"|tokenizer\.model|spiece\.model|chat_template\.jinja|LICENSE[\w.]*|README\.md"
)


class HubRefused(Exception):
    """The hub did not give a base; the text says why, and the way out."""


def main(arguments: list[str]) -> int:
    """Fetch a base; the exit code is 1 where it cannot be had."""
    name, folder = arguments[0], Path(arguments[1])
    try:
        _say(revision=_fetch(name, folder, arguments[2] if len(arguments) > 2 else None))
    except HubRefused as error:
        _say(error=str(error))
        return 1
    return 0


def _say(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


def _fetch(name: str, folder: Path, revision: str | None) -> str:
    """Write the wanted files of one revision and return that revision's exact name."""
    import httpx2
    from huggingface_hub import HfApi, errors, hf_hub_download

    try:
        info = HfApi().model_info(name, revision=revision, files_metadata=True)
        wanted = [f for f in info.siblings or [] if _WANTED.fullmatch(f.rfilename)]
        _check([f.rfilename for f in info.siblings or []], name)
        _check_room(sum(f.size or 0 for f in wanted), folder)
        for file in wanted:
            hf_hub_download(name, file.rfilename, revision=info.sha, local_dir=folder)
    except errors.GatedRepoError as error:
        raise HubRefused(
            f"{name} is given only to accounts that accepted its terms. Accept them on its page and "
            "put the account's token into the environment as HF_TOKEN."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise HubRefused(f"{name} has no revision {revision!r}.") from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise HubRefused(f"The hub has no {name}, or not for everybody.") from error
    except (httpx2.HTTPError, OSError) as error:
        raise HubRefused(
            f"The hub cannot be reached ({type(error).__name__}). Without a network, copy the folder "
            "of a base here and add it by its path: curator models add FOLDER."
        ) from error
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    return str(info.sha)


def _check(names: list[str], base: str) -> None:
    if not any(name.endswith(".safetensors") for name in names):
        raise HubRefused(
            f"{base} offers no safetensors files; pickled weights can run code and are not taken."
        )


def _check_room(needed: int, folder: Path) -> None:
    free = shutil.disk_usage(folder.parent).free
    if needed > free:
        raise HubRefused(
            f"It takes {needed / 1e9:.1f} GB, and the disk has {free / 1e9:.1f} GB free."
        )
    _say(total=needed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
