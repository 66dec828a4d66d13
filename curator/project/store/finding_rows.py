"""The stored findings of many conversations at once."""

from collections.abc import Collection
from typing import Any, Final

import apsw

from curator.dataset import Finding, Place
from curator.dataset.finding import Severity
from curator.project.store.connection import scalar
from curator.project.store.reader import Reader


def with_rule(reader: Reader, rule: str) -> list[int]:
    """Return the conversations with a finding of a rule, one for each finding."""
    with reader.reading() as connection:
        rows = connection.execute("SELECT conversation FROM finding WHERE rule = ?", (rule,))
        return [int(id_ or 0) for (id_,) in rows]


def errors_by_rule(reader: Reader) -> list[tuple[str, int]]:
    """Return rule and conversation of every error, each pair once, in order."""
    with reader.reading() as connection:
        rows = connection.execute(
            "SELECT DISTINCT rule, conversation FROM finding WHERE severity = 'error' "
            "ORDER BY rule, conversation"
        )
        return [(str(rule), int(id_ or 0)) for rule, id_ in rows]


def with_fixes(reader: Reader, fixes: Collection[str], rules: Collection[str]) -> list[int]:
    """Return the living conversations with a finding of these fixes (and rules, where any), in order."""
    some = " AND f.rule IN carray(?)" if rules else ""
    wanted = [fixes, rules] if rules else [fixes]
    with reader.reading() as connection:
        rows = connection.execute(
            "SELECT DISTINCT f.conversation FROM finding f "
            "LEFT JOIN annotation a ON a.conversation = f.conversation "
            f"WHERE a.removed IS NULL AND f.fix IN carray(?){some} ORDER BY 1",
            [apsw.carray(tuple(sorted(each))) for each in wanted],
        )
        return [int(id_ or 0) for (id_,) in rows]


_LIVING: Final = (
    "FROM finding f LEFT JOIN annotation a ON a.conversation = f.conversation "
    "WHERE a.removed IS NULL"
)


def _of_rules(rules: Collection[str]) -> tuple[str, tuple[Any, ...]]:
    """Return the condition that leaves these rules only, and its values; without rules it leaves all."""
    if not rules:
        return _LIVING, ()
    return f"{_LIVING} AND f.rule IN carray(?)", (apsw.carray(tuple(sorted(rules))),)


def counts_by_rule(reader: Reader, rules: Collection[str]) -> list[tuple[str, Severity, int]]:
    """Return rule, severity and number of the findings of living conversations."""
    living, values = _of_rules(rules)
    with reader.reading() as connection:
        rows: Any = connection.execute(
            f"SELECT f.rule, f.severity, count(*) {living} GROUP BY 1, 2", values
        )
        return list(rows)


def conversations_with(reader: Reader, severity: Severity, rules: Collection[str]) -> int:
    """Return how many living conversations have a finding of a severity."""
    living, values = _of_rules(rules)
    with reader.reading() as connection:
        sql = f"SELECT count(DISTINCT f.conversation) {living} AND f.severity = ?"
        return int(scalar(connection, sql, (*values, severity)))


def living_findings(
    reader: Reader, rules: Collection[str], limit: int
) -> list[tuple[Finding, int, int | None]]:
    """Return the findings of living conversations with id and source line, in the order of ids."""
    living, values = _of_rules(rules)
    with reader.reading() as connection:
        rows: Any = connection.execute(
            "SELECT rule, severity, message, message_index, field, start, end, fix, f.conversation, "
            "(SELECT source_line FROM conversation WHERE id = f.conversation) "
            f"{living} ORDER BY f.conversation, position LIMIT ?",
            (*values, limit),
        )
        return [
            (Finding(rule, severity, message, Place(index, field, start, end), fix), id_, line)
            for rule, severity, message, index, field, start, end, fix, id_, line in rows
        ]


def any_to_fix(reader: Reader, rules: Collection[str]) -> bool:
    """Say whether a living conversation has a finding of these rules that names a fix."""
    living, values = _of_rules(rules)
    with reader.reading() as connection:
        return bool(
            scalar(connection, f"SELECT EXISTS (SELECT 1 {living} AND f.fix <> '')", values)
        )
