"""SQL stands in the store alone, where the tables are."""

import ast
import re

from tests.house import inspection

STORES = ("curator/project/store/", "curator/tune/jobs/table.py")
"""The tables of a project; and the file of jobs, which is a database of its own in one module."""
STATEMENT = re.compile(
    r"\s*(SELECT\s.+\sFROM\s|SELECT\s(NOT\s)?EXISTS|INSERT\s+(OR\s\w+\s)?INTO\s|UPDATE\s.+\sSET\s"
    r"|DELETE\sFROM\s|(CREATE|DROP|ALTER)\s(TABLE|INDEX|VIEW)\s|PRAGMA\s|FROM\s\w+\s.*JOIN\s)",
    re.DOTALL,
)


def texts(tree: ast.AST):
    """Yield every text of a module, the parts of an f-string as one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (p.value if isinstance(p, ast.Constant) else " x " for p in node.values)
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def holds_sql(tree: ast.AST) -> bool:
    """Say whether a module holds a statement, or runs one."""
    if any(STATEMENT.match(text) for text in texts(tree)):
        return True
    return any(
        isinstance(node, ast.Attribute) and node.attr in ("execute", "executemany")
        for node in ast.walk(tree)
    )


def test_sql_stands_in_the_store_alone():
    with_sql = {
        name
        for path, tree in inspection.modules()
        if not (name := inspection.name(path)).startswith(STORES) and holds_sql(tree)
    }
    assert not with_sql


def test_the_rule_sees_a_statement_in_any_dress():
    for source in (
        'x = "SELECT id FROM conversation"',
        'x = f"UPDATE conversation SET {names}"',
        'x = "DELETE FROM run"',
        "connection.execute(given)",
    ):
        assert holds_sql(ast.parse(source)), source
    assert not holds_sql(ast.parse('x = "Select what to export from the list."'))
