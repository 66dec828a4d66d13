"""What the house tests look at: the tracked files, and the shape of the code."""

import ast
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file of the repository that git knows, or would add; skips the test where there is no git."""
    if shutil.which("git") is None:
        pytest.skip("git says what belongs to the repository, and it is not installed here")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


@cache
def tracked_texts() -> tuple[tuple[Path, str], ...]:
    """Every tracked file that is text, with its text."""
    found = []
    for path in tracked_files():
        raw = path.read_bytes()
        if b"\0" not in raw[:4096]:
            found.append((path, raw.decode("utf-8", "replace")))
    return tuple(found)


@cache
def modules() -> tuple[tuple[Path, ast.Module], ...]:
    """Every module of the app, parsed."""
    sources = sorted((ROOT / "curator").rglob("*.py"))
    return tuple((path, ast.parse(path.read_text("utf-8"))) for path in sources)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method below a node."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many lines a function has, its decorators left out."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def public_methods(node: ast.ClassDef) -> list[str]:
    """The public methods of a class, the names Qt calls left out."""
    return [
        item.name
        for item in node.body
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
        and not item.name.startswith("_")
        and item.name == item.name.lower()
    ]


def connects(node: ast.AST) -> int:
    """How many signals a function connects."""
    return sum(
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "connect"
        and isinstance(call.func.value, ast.Attribute | ast.Name)
        for call in ast.walk(node)
    )


def name(path: Path) -> str:
    """A file's name inside the repository."""
    return path.relative_to(ROOT).as_posix()
