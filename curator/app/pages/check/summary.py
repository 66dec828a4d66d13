"""How many findings there are, in the words of the page's header."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication

from curator.app.counted import counted
from curator.dataset.finding import Severity

if TYPE_CHECKING:
    from curator.project.check_report import CheckReport

SUMMARY_TIP: Final = (
    "What a conversation has by itself is counted on Write and in the rail too. Copies, "
    "contradictions, prompts and labels come from comparing all conversations and are listed only here."
)


def summary(report: "CheckReport") -> str:
    """Say how many findings are on how many conversations, as the chips of Write count them."""
    (count,) = report.targets.values()
    across = report.across
    own: tuple[tuple[Severity, int, int], ...] = (
        ("error", count.errors, count.conversations_with_errors),
        ("warning", count.warnings, count.conversations_with_warnings),
    )
    parts = [
        _tr("{0} in {1}").format(
            counted(number - across.get(severity, 0), severity),
            counted(conversations, "conversation"),
        )
        for severity, number, conversations in own
        if conversations
    ]
    if compared := across.get("error", 0) + across.get("warning", 0):
        parts.append(_tr("{0} from comparing all").format(f"{compared:,}"))
    everyone = counted(report.conversations, "conversation")
    return " · ".join(parts) or _tr("No errors or warnings in {0}").format(everyone)


def _tr(words: str) -> str:
    return QCoreApplication.translate("CheckPage", words)
