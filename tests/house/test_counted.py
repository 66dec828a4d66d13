"""Law: no sentence puts a number before a plural; counted() says one thing as one thing."""

import ast
import json
import re
from collections.abc import Iterator

from curator.dataset.resources import resource
from curator.dataset.rule import load_rules
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


_NAMED = re.compile(rf"\{{(\w+)\}} {_BETWEEN}(?:{NOUNS})\b")
_WRITTEN = re.compile(rf"(?<![\d.,%-])1 {_BETWEEN}(?:{NOUNS})\b")
SEVERAL = {
    "D05": "a prompt in two splits is in two conversations",
    "D06": "answers differ from each other",
    "D07": "prompts differ from each other",
    "L01": "a context limit is thousands of tokens",
    "L02": "a context limit is thousands of tokens",
    "S15": "some have a system message while others have none",
    "T11": "parallel calls are two at least",
}
"""Rules whose count is never one, and why."""


def shipped_texts() -> Iterator[tuple[str, str]]:
    """Yield every text of the shipped rules and targets with the file it stands in."""
    for folder in ("rules", "targets"):
        for path in sorted(resource(folder).glob("*.json")):
            stack = [json.loads(path.read_text("utf-8"))]
            while stack:
                value = stack.pop()
                if isinstance(value, str):
                    yield f"{folder}/{path.name}", value
                elif isinstance(value, dict | list):
                    stack += value.values() if isinstance(value, dict) else value


def test_a_rule_that_counts_has_words_for_one():
    """A number of one is filled into message_one; a rule whose count is at least two says why."""
    wrong = []
    for rule in load_rules().values():
        fields = set(_NAMED.findall(rule.message))
        covered = rule.id in SEVERAL or (fields == {"count"} and rule.message_one)
        is_over_limit = fields == {"count"} and min(rule.limits.values(), default=0) > 0
        if fields and not covered and not is_over_limit:
            wrong.append(f"{rule.id}: {rule.message}")
    assert not wrong, "\n".join(wrong)


def test_no_shipped_text_says_one_of_several():
    assert not [text for text in shipped_texts() if _WRITTEN.search(text[1])]
