"""One idea a file: modules, functions and classes stay small, and no drawer holds odds and ends."""

import ast

import pytest

from tests.house import inspection

MODULE_LINES = 450
FUNCTION_LINES = 64
PUBLIC_METHODS = 20
CONNECTS = 24
DRAWERS = {"utils", "util", "misc", "common", "helper", "helpers", "manager", "handler", "base"}


def test_no_module_is_over_450_lines():
    long = {
        inspection.name(path): lines
        for path, _ in inspection.modules()
        if (lines := len(path.read_text("utf-8").splitlines())) > MODULE_LINES
    }
    assert not long


def test_no_function_is_over_64_lines():
    long = {
        f"{inspection.name(path)}:{node.name}": inspection.length(node)
        for path, tree in inspection.modules()
        for node in inspection.functions(tree)
        if inspection.length(node) > FUNCTION_LINES
    }
    assert not long


def test_no_class_has_over_20_public_methods():
    big = {
        f"{inspection.name(path)}:{node.name}": len(methods)
        for path, tree in inspection.modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and len(methods := inspection.public_methods(node)) > PUBLIC_METHODS
    }
    assert not big


def test_no_function_connects_over_24_signals():
    tangled = {
        f"{inspection.name(path)}:{node.name}": count
        for path, tree in inspection.modules()
        for node in inspection.functions(tree)
        if (count := inspection.connects(node)) > CONNECTS
    }
    assert not tangled


def test_no_module_is_a_drawer():
    drawers = [
        inspection.name(path)
        for path, _ in inspection.modules()
        if path.stem in DRAWERS or path.parent.name in DRAWERS
    ]
    assert not drawers


def test_every_public_thing_has_a_docstring():
    bare = [
        f"{inspection.name(path)}:{node.name}"
        for path, tree in inspection.modules()
        for node in ast.iter_child_nodes(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not bare


def test_broad_except_stands_only_at_three_boundaries():
    """The worker boundary, the excepthook and the provider boundary (tune)."""
    broad = {
        inspection.name(path)
        for path, tree in inspection.modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException"))
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    }
    allowed = ("curator/app/session/background.py", "curator/app/excepthook.py", "curator/tune/")
    assert not [place for place in broad if not place.startswith(allowed)]


@pytest.mark.parametrize(("lines", "expected"), [("def f():\n    pass", 2), ("def f(): ...", 1)])
def test_length_counts_the_lines_of_a_function(lines, expected):
    node = next(inspection.functions(ast.parse(lines)))
    assert inspection.length(node) == expected


def test_connects_counts_signal_connections():
    tree = ast.parse("def f(self):\n    self.a.b.connect(self.c)\n    x.connect(y)\n    connect(z)")
    assert inspection.connects(tree) == 2


def test_every_folder_of_modules_is_a_package():
    # Without __init__.py it works in a checkout, is left out of the wheel, and the linter cannot see it.
    folders = {path.parent for path, _ in inspection.modules()}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []
