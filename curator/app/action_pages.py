"""Which page answers each action, and why it cannot be done now."""

from functools import cache
from typing import Final

from PySide6.QtCore import QCoreApplication

from curator.app.actions import Action
from curator.app.widgets.buttons import looking_only

_PAGES: Final = {
    "conversation": "write", "message": "write", "label": "label", "check": "check",
    "duplicates": "duplicates", "split": "export", "export": "export", "train": "train",
    "try": "try", "evaluate": "evaluate",
}  # fmt: skip
_HOMES: Final = {
    "edit.find": "write", "edit.replace": "write", "edit.select_all": "write", "label.import": "",
    "label.export": "",
}  # fmt: skip
"""Actions whose page does not follow from their name; empty: the window itself does it."""

_FREE: Final = frozenset(
    {
        "conversation.new", "conversation.paste", "edit.find", "edit.replace", "label.sets", "check.run",
        "check.fix_safe", "check.next", "check.previous",
    }
)  # fmt: skip
_READING: Final = (
    "go.", "view.", "help.", "file.", "check.run", "check.next", "check.previous", "edit.find", "edit.replace",
    "edit.select_all", "conversation.next", "conversation.previous", "message.next", "message.previous",
    "message.edit", "label.export", "label.suspects", "duplicates.find", "export.", "train.", "try.ask",
    "try.stop", "try.question", "evaluate.report",
)  # fmt: skip
"""Verbs that change nothing: where they cannot be done, it is for another reason than a project held elsewhere."""

_NEEDS: Final = {
    "edit.undo": "Nothing has been changed yet.",
    "edit.redo": "Nothing has been taken back.",
    "check.run": "The checks are running.",
    "check.fix_safe": "Nothing here has a safe fix.",
    "check.next": "There is no finding.",
    "check.previous": "There is no finding.",
    "check.fix_one": "Choose a finding that has a fix.",
    "duplicates.find": "There is nothing to compare yet, or the search is running.",
    "duplicates.keep_left": "Choose two conversations that repeat each other.",
    "duplicates.keep_right": "Choose two conversations that repeat each other.",
    "duplicates.keep_both": "Choose two conversations that repeat each other.",
    "duplicates.remove_all": "No copies are known: find duplicates first.",
    "split.assign": "Everything is assigned already, or the shares are not possible.",
    "export.run": "Something stands in the way of an export; the card says what.",
    "export.verify": "Nothing was exported yet.",
    "train.target_test": "Choose a target that is set up.",
    "train.dry_run": "Choose a target and an export first.",
    "train.start": "Choose a target that is set up, and an export.",
    "train.cancel": "Choose a job that is running.",
    "try.ask": "Choose whom to ask on both sides, and type a question.",
    "try.stop": "No reply is on its way.",
    "try.question": "There is nobody to ask yet, or a reply is on its way.",
    "try.keep_left": "There is no reply on the left to keep.",
    "try.keep_right": "There is no reply on the right to keep.",
    "evaluate.start": "Choose whom to ask; a model must be available.",
    "evaluate.stop": "No evaluation is running.",
    "evaluate.report": "There is no evaluation with replies yet.",
    "conversation.restore": "Choose a conversation that was removed.",
}


def home_of(action_id: str) -> str:
    """Return the page that answers an action; empty where the window itself does it."""
    return _HOMES.get(action_id, _PAGES.get(action_id.partition(".")[0], ""))


def is_about_one(action_id: str) -> bool:
    """Whether an action is about the current conversation or message, and so acts only where that is seen."""
    kind = action_id.partition(".")[0]
    return kind in ("conversation", "message", "label") and action_id not in _FREE


@cache
def why_not(entry: Action, *, has_project: bool, is_read_only: bool) -> str:
    """Say why an action cannot be done now, in the language of the window."""
    if not has_project:
        return _tr("Open a project first.")
    if is_read_only and not entry.id.startswith(_READING):
        return looking_only()
    if entry.id.startswith("label.value_"):
        return _tr("No answer of the label sets has this key.")
    if entry.id in _NEEDS:
        return _tr(_NEEDS[entry.id])
    if entry.id.startswith("message."):
        return _tr("It is about the current message: choose one on Write.")
    if is_about_one(entry.id):
        return _tr("It is about the current conversation: choose one on Write or Label.")
    return _tr("It cannot be done now.")


def _tr(text: str) -> str:
    return QCoreApplication.translate("actions", text)
