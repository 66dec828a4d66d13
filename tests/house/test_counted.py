"""Law: no sentence puts a number before a plural; counted() says one thing as one thing."""

import ast
import re
from collections.abc import Iterator

from tests.house import inspection

NOUNS = (
    "batches|beginnings|bytes|calls|characters|checkpoints|columns|conversations|copies|"
    "decisions|demonstrations|documents|duplicates|edits|elements|entries|epochs|errors|"
    "examples|exports|fields|files|findings|fixes|groups|hours|images|keys|lines|"
    "messages|minutes|models|notices|objects|pages|pairs|parts|places|processes|prompts|"
    "questions|records|rejects|replies|requests|rows|rules|seconds|segments|services|"
    "shots|steps|tags|targets|texts|tokens|tools|turns|values|variants|versions|warnings|"
    "words"
)
VERBS = "add|are|fits|for|gives|has|have|holds|is|learns|missing|must|of|points|sets|takes|with"
_BETWEEN = rf"(?:(?!(?:{VERBS}) )[a-z-]+ ){{0,2}}"
_COUNT = re.compile(rf"\x00 {_BETWEEN}(?:{NOUNS})\b")
_FIELD = re.compile(r"\{\d*(?::,)?\}")
_NUMBERS = ("abs", "int", "len", "max", "min", "round", "sum")


def sentences(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield every text of a module with NUL where a whole number is filled in."""
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(filled(part) for part in node.values)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in inside
        ):
            yield node.lineno, _FIELD.sub("\x00", node.value)


def filled(part: ast.expr) -> str:
    """Return a piece of an f-string; a number with decimals or a text of its own is no count."""
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    spec = "" if part.format_spec is None else ast.unparse(part.format_spec)
    is_number = spec in ("", "f','") and part.conversion == -1
    if isinstance(part.value, ast.Call):
        is_number &= getattr(part.value.func, "id", "") in _NUMBERS
    return "\x00" if is_number else "?"


def test_every_counted_noun_is_said_by_the_one_function():
    wrong = [
        f"{inspection.name(path)}:{line}: {text.strip()[:120]}"
        for path, tree in inspection.modules()
        for line, text in sentences(tree)
        if _COUNT.search(text)
    ]
    assert not wrong, "\n".join(wrong).replace("\x00", "{}")
