"""The checks of one conversation: each rule's function, and the function that runs them all.

A check never raises, whatever the JSON holds; what it finds is a value.
"""

from curator.curate.checks.dispatch import (
    check_conversation,
    check_for_all,
    finding,
    plain_findings,
    plain_text_findings,
)
from curator.curate.checks.files import holds_two_values
from curator.curate.checks.finder import lines_to_read, needs_reading
from curator.curate.checks.odd_characters import odd_characters
from curator.curate.checks.rejected import explain_rejected

__all__ = [
    "check_conversation",
    "check_for_all",
    "explain_rejected",
    "finding",
    "holds_two_values",
    "lines_to_read",
    "needs_reading",
    "odd_characters",
    "plain_findings",
    "plain_text_findings",
]
