"""Small files for the verbs to work on."""

import json
from pathlib import Path
from typing import Any


def line(question: str, answer: str = "Gladly.", **more: Any) -> str:
    """Return one faultless training line."""
    messages = [
        {"role": "system", "content": "You help."},
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]
    return json.dumps({"messages": messages, **more})


def write(path: Path, *lines: str) -> Path:
    """Write lines into a file."""
    path.write_text("".join(f"{each}\n" for each in lines), "utf-8")
    return path


def questions(number: int) -> list[str]:
    """Return that many lines with different questions."""
    return [line(f"Question {n} about topic {n * 7}?", f"Answer {n}.") for n in range(number)]
