"""Words that must not stand in the repository: addresses of registries, places of one machine, leftovers."""

import ast
import re

import pytest

from tests.house import inspection

# Written in pieces, so that this file does not hold what it looks for.
HOSTS = re.compile(
    "|".join(
        re.escape(".".join(parts))
        for parts in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("registry", "npmjs"),
            ("deb", "debian", "org"),
            ("archive", "ubuntu", "com"),
            ("conda", "anaconda", "org"),
            ("proxy", "golang", "org"),
        )
    )
)
INDEX_OPTIONS = re.compile(
    "|".join(
        f"{word}( |=|-option)"
        for word in ("--index" + "-url", "--find" + "-links", "--extra-index" + "-url")
    )
)
MACHINE_PATHS = re.compile(
    "|".join(
        ("/" + "work/(main|shared)", "/" + "tmp/contract", "/" + "opt/(wheels|pypi)", "/" + "root/")
    )
)
LEFTOVERS = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X:")))


def _lines(pattern):
    return [
        f"{inspection.name(path)}:{number}"
        for path, text in inspection.tracked_texts()
        if not inspection.name(path).startswith(("resources/samples/", "resources/encodings/"))
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize(
    "pattern",
    [HOSTS, INDEX_OPTIONS, MACHINE_PATHS, LEFTOVERS],
    ids=["registry host", "index option", "machine path", "leftover"],
)
def test_a_word_stands_nowhere(pattern):
    assert _lines(pattern) == []


def test_the_patterns_find_what_they_are_for():
    assert HOSTS.search("https://" + "files.pythonhosted" + ".org/x")
    assert MACHINE_PATHS.search("cd /" + "work/main")
    assert LEFTOVERS.search("# TO" + "DO later")


def test_no_text_of_the_window_is_translated_from_an_f_string():
    wrong = [
        f"{inspection.name(path)}:{node.lineno}"
        for path, tree in inspection.modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") in ("tr", "translate")
        and any(isinstance(argument, ast.JoinedStr) for argument in node.args)
    ]
    assert wrong == []


def test_the_event_loop_is_never_pumped_by_hand():
    pumping = [
        inspection.name(path)
        for path, tree in inspection.modules()
        if any(getattr(node, "attr", "") == "processEvents" for node in ast.walk(tree))
    ]
    assert pumping == []
