"""How far a project has come, read from what it holds: fixed, searched for duplicates, split, exported."""

from curator.dataset.rule import load_rules
from curator.project.store.connection import scalar
from curator.project.store.reader import Reader


def reached(reader: Reader) -> frozenset[str]:
    """Return the milestones a project has reached.

    fixed: no safe fix is left to apply. searched: duplicates were looked for. split:
    some conversation has a split. exported: training files were written.
    """
    safe = sorted(name for name, rule in load_rules().items() if rule.fix and rule.fix.safe)
    marks = ",".join("?" * len(safe))
    questions = {
        "fixed": (
            "SELECT NOT EXISTS (SELECT 1 FROM finding LEFT JOIN annotation USING (conversation) "
            f"WHERE fix <> '' AND rule IN ({marks}) AND removed IS NULL)",
            safe,
        ),
        "searched": ("SELECT EXISTS (SELECT 1 FROM run WHERE kind = 'duplicates')", ()),
        "split": ("SELECT EXISTS (SELECT 1 FROM annotation WHERE split > 0)", ()),
        "exported": ("SELECT EXISTS (SELECT 1 FROM run WHERE kind = 'export')", ()),
    }
    with reader.reading() as connection:
        return frozenset(
            name for name, (sql, values) in questions.items() if scalar(connection, sql, values)
        )
