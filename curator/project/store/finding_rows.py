"""The stored findings of many conversations at once."""

from collections.abc import Collection

import apsw

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
