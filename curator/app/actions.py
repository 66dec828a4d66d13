"""Every action as data: menus, buttons, the palette, the shortcut sheet and the docs read this tuple.

To add one: an entry here, and its id in the ``slots()`` of the page that does it (or in main.py for
the window itself). Keys are unique. A key without Ctrl or Alt is off while a text field has focus.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from PySide6.QtCore import QT_TRANSLATE_NOOP as _
from PySide6.QtCore import QCoreApplication


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the window can do; text and tip are English, to be shown through label() and hint()."""

    id: str
    text: str
    shortcut: str = ""
    icon: str = ""
    tip: str = ""
    group: str = ""

    def label(self) -> str:
        """Return the text in the language of the window."""
        return QCoreApplication.translate("actions", self.text)

    def hint(self) -> str:
        """Return the tip in the language of the window, with the key behind it."""
        tip = QCoreApplication.translate("actions", self.tip or self.text)
        return f"{tip} ({self.shortcut})" if self.shortcut else tip


GROUPS: Final = {
    "file": _("actions", "File"),
    "edit": _("actions", "Edit"),
    "conversation": _("actions", "Conversation"),
    "label": _("actions", "Label"),
    "dataset": _("actions", "Dataset"),
    "go": _("actions", "Go"),
    "view": _("actions", "View"),
    "help": _("actions", "Help"),
}
"""The menus in their order; the group of every action is one of these."""

# fmt: off
_FILE = (
    Action("file.new", _("actions", "New project"), "Ctrl+N", "plus", _("actions", "Start an empty project"), "file"),
    Action("file.open", _("actions", "Open project"), "Ctrl+O", "folder", _("actions", "Open a project file"), "file"),
    Action("file.import", _("actions", "Import files"), "Ctrl+I", "import", _("actions", "Bring conversations from files into the project"), "file"),
    Action("file.sample", _("actions", "Try the sample"), "", "sparkle", _("actions", "Make a project from the shipped sample"), "file"),
    Action("file.close", _("actions", "Close project"), "Ctrl+W", "close", _("actions", "Go back to the first page"), "file"),
    Action("file.preferences", _("actions", "Preferences"), "Ctrl+,", "sliders", _("actions", "Your name, theme and habits"), "file"),
    Action("file.quit", _("actions", "Quit"), "Ctrl+Q", "", _("actions", "Close the window; everything is already saved"), "file"),
)
_EDIT = (
    Action("edit.undo", _("actions", "Undo"), "Ctrl+Z", "undo", _("actions", "Take back the last step, whoever made it"), "edit"),
    Action("edit.redo", _("actions", "Redo"), "Ctrl+Shift+Z", "redo", _("actions", "Do again what was taken back"), "edit"),
    Action("edit.find", _("actions", "Find"), "Ctrl+F", "search", _("actions", "Search all conversations"), "edit"),
    Action("edit.replace", _("actions", "Find and replace"), "Ctrl+H", "replace", _("actions", "Replace a text in all conversations shown"), "edit"),
    Action("edit.select_all", _("actions", "Select all shown"), "Ctrl+A", "", _("actions", "Select every conversation that matches the filter"), "edit"),
)
_CONVERSATION = (
    Action("conversation.new", _("actions", "New conversation"), "Ctrl+Shift+N", "plus", _("actions", "Write a new conversation"), "conversation"),
    Action("conversation.duplicate", _("actions", "Duplicate conversation"), "Ctrl+Shift+D", "copy", _("actions", "Copy this conversation"), "conversation"),
    Action("conversation.remove", _("actions", "Remove conversation"), "Ctrl+Backspace", "trash", _("actions", "Take it out; it stays recoverable"), "conversation"),
    Action("conversation.restore", _("actions", "Restore conversation"), "Ctrl+Shift+Backspace", "restore", _("actions", "Bring a removed conversation back"), "conversation"),
    Action("conversation.next", _("actions", "Next conversation"), "Right", "arrow-right", _("actions", "Go to the next one in the current order"), "conversation"),
    Action("conversation.previous", _("actions", "Previous conversation"), "Left", "arrow-left", _("actions", "Go to the one before"), "conversation"),
    Action("conversation.save_next", _("actions", "Keep and go to the next"), "Ctrl+Return", "", _("actions", "Keep what you typed and go on"), "conversation"),
    Action("message.next", _("actions", "Next turn"), "J", "", _("actions", "Go to the next message"), "conversation"),
    Action("message.previous", _("actions", "Previous turn"), "K", "", _("actions", "Go to the message before"), "conversation"),
    Action("message.edit", _("actions", "Edit turn"), "Return", "pen", _("actions", "Put the cursor into the message"), "conversation"),
    Action("message.add", _("actions", "Add turn"), "Ctrl+Shift+Return", "plus", _("actions", "Add a message after this one"), "conversation"),
    Action("message.duplicate", _("actions", "Duplicate turn"), "Ctrl+D", "copy", _("actions", "Copy this message"), "conversation"),
    Action("message.remove", _("actions", "Remove turn"), "Ctrl+Shift+Delete", "trash", _("actions", "Take this message out"), "conversation"),
    Action("message.up", _("actions", "Move turn up"), "Alt+Up", "", _("actions", "Move this message before the one above"), "conversation"),
    Action("message.down", _("actions", "Move turn down"), "Alt+Down", "", _("actions", "Move this message after the one below"), "conversation"),
    Action("message.role", _("actions", "Change role"), "Ctrl+R", "", _("actions", "Choose who says this message"), "conversation"),
    Action("message.weight", _("actions", "Train on this turn or not"), "Ctrl+T", "weight", _("actions", "Switch the weight of an answer between 0 and 1"), "conversation"),
)
_LABEL = (
    Action("label.accept", _("actions", "Accept"), "A", "check", _("actions", "This conversation is good to train on"), "label"),
    Action("label.reject", _("actions", "Reject"), "X", "cross", _("actions", "This conversation must not be trained on"), "label"),
    Action("label.skip", _("actions", "Skip"), "Space", "skip", _("actions", "Decide later; it comes back at the end"), "label"),
    Action("label.pending", _("actions", "Back to pending"), "P", "clock", _("actions", "Take the decision away"), "label"),
    Action("label.flag", _("actions", "Flag"), "F", "flag", _("actions", "Mark it for discussion"), "label"),
    Action("label.note", _("actions", "Note"), "N", "note", _("actions", "Write a note about this conversation"), "label"),
    Action("label.tags", _("actions", "Tags"), "T", "tag", _("actions", "Add or take away tags"), "label"),
    *(Action(f"label.value_{i % 10}", text, str(i % 10), "", "", "label") for i, text in enumerate((
        _("actions", "First label"), _("actions", "Second label"), _("actions", "Third label"),
        _("actions", "Fourth label"), _("actions", "Fifth label"), _("actions", "Sixth label"),
        _("actions", "Seventh label"), _("actions", "Eighth label"), _("actions", "Ninth label"),
        _("actions", "Tenth label")), 1)),
    Action("label.next_set", _("actions", "Next label set"), "Tab", "", _("actions", "Answer the next question"), "label"),
    Action("label.sets", _("actions", "Edit label sets"), "Ctrl+L", "labels", _("actions", "Choose the questions annotators answer"), "label"),
)
_DATASET = (
    Action("check.run", _("actions", "Check again"), "Ctrl+Shift+C", "shield", _("actions", "Run every rule over every conversation"), "dataset"),
    Action("check.fix_safe", _("actions", "Fix what is safe"), "", "wand", _("actions", "Apply every repair that cannot change a meaning"), "dataset"),
    Action("check.next", _("actions", "Next finding"), "F8", "", _("actions", "Go to the next finding"), "dataset"),
    Action("check.previous", _("actions", "Previous finding"), "Shift+F8", "", _("actions", "Go to the finding before"), "dataset"),
    Action("check.fix_one", _("actions", "Apply the fix"), "Ctrl+.", "wand", _("actions", "Repair the finding at hand"), "dataset"),
    Action("duplicates.find", _("actions", "Find duplicates"), "Ctrl+Shift+F", "duplicates", _("actions", "Look for copies and near copies"), "dataset"),
    Action("duplicates.keep_left", _("actions", "Keep the left one"), "[", "", _("actions", "Remove the right copy"), "dataset"),
    Action("duplicates.keep_right", _("actions", "Keep the right one"), "]", "", _("actions", "Remove the left copy"), "dataset"),
    Action("duplicates.keep_both", _("actions", "Not a duplicate"), "=", "", _("actions", "Keep both"), "dataset"),
    Action("duplicates.remove_all", _("actions", "Remove all copies"), "", "trash", _("actions", "Keep one of every cluster, by the chosen rule"), "dataset"),
    Action("split.assign", _("actions", "Assign splits"), "", "split", _("actions", "Put every conversation into train, validation or test"), "dataset"),
    Action("export.run", _("actions", "Export"), "Ctrl+E", "export", _("actions", "Write the files to train on, and their manifest"), "dataset"),
    Action("export.verify", _("actions", "Verify an export"), "", "shield", _("actions", "Check an export folder against its manifest"), "dataset"),
    Action("train.target_test", _("actions", "Test the connection"), "", "plug", _("actions", "Ask the service who you are; uploads nothing"), "dataset"),
    Action("train.dry_run", _("actions", "Dry run"), "", "calculator", _("actions", "Rows, tokens, cost and time, before anything starts"), "dataset"),
    Action("train.start", _("actions", "Start training"), "", "play", _("actions", "Upload the export and start a job"), "dataset"),
    Action("train.cancel", _("actions", "Cancel the job"), "", "stop", _("actions", "Stop the running job"), "dataset"),
)
_GO = (
    Action("go.write", _("actions", "Write"), "Ctrl+1", "pen", _("actions", "Go to the conversations"), "go"),
    Action("go.label", _("actions", "Label"), "Ctrl+2", "tag", _("actions", "Go to the queue"), "go"),
    Action("go.check", _("actions", "Check"), "Ctrl+3", "shield", _("actions", "Go to the findings"), "go"),
    Action("go.duplicates", _("actions", "Duplicates"), "Ctrl+4", "duplicates", _("actions", "Go to the copies"), "go"),
    Action("go.export", _("actions", "Split and export"), "Ctrl+5", "export", _("actions", "Go to splits and export"), "go"),
    Action("go.train", _("actions", "Train"), "Ctrl+6", "train", _("actions", "Go to targets and jobs"), "go"),
)
_VIEW = (
    Action("view.palette", _("actions", "All actions"), "Ctrl+K", "command", _("actions", "Find any action by name"), "view"),
    Action("view.rail", _("actions", "Fold the page list"), "Ctrl+B", "sidebar", _("actions", "Show only the icons of the pages"), "view"),
    Action("view.inspector", _("actions", "Fold the inspector"), "Ctrl+Shift+B", "inspector", _("actions", "Hide or show the right side"), "view"),
    Action("view.theme_system", _("actions", "Theme of the system"), "", "monitor", _("actions", "Light or dark as the system is"), "view"),
    Action("view.theme_light", _("actions", "Light theme"), "", "sun", _("actions", "Dark text on a light ground"), "view"),
    Action("view.theme_dark", _("actions", "Dark theme"), "", "moon", _("actions", "Light text on a dark ground"), "view"),
    Action("view.theme_contrast", _("actions", "High contrast theme"), "", "contrast", _("actions", "The strongest contrast"), "view"),
)
_HELP = (
    Action("help.guide", _("actions", "Guide"), "F1", "book", _("actions", "Open the guide"), "help"),
    Action("help.shortcuts", _("actions", "Keys"), "?", "keyboard", _("actions", "Show every key"), "help"),
    Action("help.about", _("actions", "About Curator"), "", "info", _("actions", "Version and licences"), "help"),
)
# fmt: on

ACTIONS: Final = (
    *_FILE, *_EDIT, *_CONVERSATION, *_LABEL, *_DATASET, *_GO, *_VIEW, *_HELP
)  # fmt: skip


@cache
def _by_id() -> dict[str, Action]:
    return {entry.id: entry for entry in ACTIONS}


def action(action_id: str) -> Action:
    """Return one action; raises KeyError for an unknown id."""
    return _by_id()[action_id]
