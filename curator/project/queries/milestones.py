"""How far a project has come, read from what it holds: fixed, searched for duplicates, split, exported."""

from curator.dataset.rule import load_rules
from curator.project.store.finding_rows import any_to_fix
from curator.project.store.label_rows import has_splits
from curator.project.store.reader import Reader
from curator.project.store.runs import DUPLICATES, EXPORT, kinds_noted


def reached(reader: Reader) -> frozenset[str]:
    """Return the milestones a project has reached.

    fixed: no safe fix is left to apply. searched: duplicates were looked for. split:
    some conversation has a split. exported: training files were written.
    """
    safe = [name for name, rule in load_rules().items() if rule.fix and rule.fix.safe]
    noted = kinds_noted(reader)
    answers = {
        "fixed": not any_to_fix(reader, safe),
        "searched": DUPLICATES in noted,
        "split": has_splits(reader),
        "exported": EXPORT in noted,
    }
    return frozenset(name for name, is_reached in answers.items() if is_reached)
