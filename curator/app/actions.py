"""Every action as data: menus, buttons, the palette, the shortcut sheet and the docs read this tuple.

To add one: an entry here, and its id in the ``slots()`` of the page that does it (or in main.py for
the window itself). Keys are unique. A key without Ctrl or Alt is off while a text field has focus.
The texts are English here and are translated where they are shown, in the context "actions".

Small values that the window needs before it is up are named tuples: each dataclass would cost a
millisecond of the start.
"""

from functools import cache
from typing import Final, NamedTuple

from PySide6.QtCore import QCoreApplication


class Action(NamedTuple):
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
    "file": "File",
    "edit": "Edit",
    "conversation": "Conversation",
    "label": "Label",
    "dataset": "Dataset",
    "go": "Go",
    "view": "View",
    "help": "Help",
}
"""The menus in their order; the group of every action is one of these."""


def _group(name: str, *entries: Action) -> tuple[Action, ...]:
    return tuple(entry._replace(group=name) for entry in entries)


# fmt: off
_FILE = _group(
    "file",
    Action("file.new", "New project", "Ctrl+N", "plus", "Start an empty project"),
    Action("file.open", "Open project", "Ctrl+O", "folder", "Open a project file"),
    Action("file.write", "Write from scratch", "", "pen", "Make a project and write its first conversation"),
    Action("file.import", "Import files", "Ctrl+I", "import", "Bring conversations from files into the project"),
    Action("file.sample", "Try the sample", "", "sparkle", "Make a project from the shipped sample"),
    Action("file.close", "Close project", "Ctrl+W", "close", "Go back to the first page"),
    Action("file.preferences", "Preferences", "Ctrl+,", "sliders", "Your name, theme and habits"),
    Action("file.quit", "Quit", "Ctrl+Q", "", "Close the window; the local server ends too, unless a job trains"),
)
_EDIT = _group(
    "edit",
    Action("edit.undo", "Undo", "Ctrl+Z", "undo", "Take back the last step, whoever made it"),
    Action("edit.redo", "Redo", "Ctrl+Shift+Z", "redo", "Do again what was taken back"),
    Action("edit.find", "Find", "Ctrl+F", "search", "Search all conversations"),
    Action("edit.replace", "Find and replace", "Ctrl+H", "replace", "Replace a text in all conversations shown"),
    Action("edit.select_all", "Select all shown", "Ctrl+A", "", "Select every conversation that matches the filter"),
)
_CONVERSATION = _group(
    "conversation",
    Action("conversation.new", "New conversation", "Ctrl+Shift+N", "plus", "Write a new conversation"),
    Action("conversation.paste", "Paste conversations", "Ctrl+V", "", "Make conversations of copied lines of JSON"),
    Action("conversation.duplicate", "Duplicate conversation", "Ctrl+Shift+D", "copy", "Copy this conversation"),
    Action("conversation.remove", "Remove conversation", "Ctrl+Backspace", "trash", "Take it out, recoverably"),
    Action("conversation.restore", "Restore conversation", "Ctrl+Shift+Backspace", "restore", "Bring it back"),
    Action("conversation.next", "Next conversation", "Right", "arrow-right", "Go to the next one in the current order"),
    Action("conversation.previous", "Previous conversation", "Left", "arrow-left", "Go to the one before"),
    Action("conversation.save_next", "Keep and go to the next", "Ctrl+Return", "", "Keep what you typed and go on"),
    Action("message.next", "Next turn", "J", "", "Go to the next message"),
    Action("message.previous", "Previous turn", "K", "", "Go to the message before"),
    Action("message.edit", "Edit turn", "Return", "pen", "Put the cursor into the message"),
    Action("message.add", "Add turn", "Ctrl+Shift+Return", "plus", "Add a message after this one"),
    Action("message.duplicate", "Duplicate turn", "Ctrl+D", "copy", "Copy this message"),
    Action("message.remove", "Remove turn", "Ctrl+Shift+Delete", "trash", "Take this message out"),
    Action("message.up", "Move turn up", "Alt+Up", "", "Move this message before the one above"),
    Action("message.down", "Move turn down", "Alt+Down", "", "Move this message after the one below"),
    Action("message.role", "Change role", "Ctrl+R", "", "Choose who says this message"),
    Action("message.weight", "Train on this turn or not", "Ctrl+T", "weight", "Set its weight to 0 or 1"),
)
_LABEL = _group(
    "label",
    Action("label.accept", "Accept", "A", "check", "This conversation is good to train on"),
    Action("label.reject", "Reject", "X", "cross", "This conversation must not be trained on"),
    Action("label.skip", "Skip", "Space", "skip", "Decide later; it comes back at the end"),
    Action("label.pending", "Back to pending", "P", "clock", "Take the decision away"),
    Action("label.flag", "Flag", "F", "flag", "Mark it for discussion"),
    Action("label.note", "Note", "N", "note", "Write a note about this conversation"),
    Action("label.tags", "Tags", "T", "tag", "Add or take away tags"),
    Action("label.pick", "Pick a label", "L", "labels", "Find an answer by a few letters, however many there are"),
    Action("label.value_1", "First label", "1", "", "Give the first label"),
    Action("label.value_2", "Second label", "2", "", "Give the second label"),
    Action("label.value_3", "Third label", "3", "", "Give the third label"),
    Action("label.value_4", "Fourth label", "4", "", "Give the fourth label"),
    Action("label.value_5", "Fifth label", "5", "", "Give the fifth label"),
    Action("label.value_6", "Sixth label", "6", "", "Give the sixth label"),
    Action("label.value_7", "Seventh label", "7", "", "Give the seventh label"),
    Action("label.value_8", "Eighth label", "8", "", "Give the eighth label"),
    Action("label.value_9", "Ninth label", "9", "", "Give the ninth label"),
    Action("label.value_0", "Tenth label", "0", "", "Give the tenth label"),
    Action("label.sets", "Edit label sets", "Ctrl+L", "labels", "Choose the questions annotators answer"),
    Action("label.suspects", "Find labels that look wrong", "", "search", "Labels unlike those of similar questions"),
    Action("label.import", "Import labels", "", "import", "Take in a file of labels: who answered what"),
    Action("label.export", "Export labels", "", "export", "Write who answered what, for another person's project"),
)
_DATASET = _group(
    "dataset",
    Action("check.run", "Check again", "Ctrl+Shift+C", "shield", "Run every rule over every conversation"),
    Action("check.fix_safe", "Fix what is safe", "", "wand", "Apply every fix that cannot change a meaning"),
    Action("check.next", "Next finding", "F8", "", "Go to the next finding"),
    Action("check.previous", "Previous finding", "Shift+F8", "", "Go to the finding before"),
    Action("check.fix_one", "Apply the fix", "Ctrl+.", "wand", "Fix the current finding"),
    Action("duplicates.find", "Find duplicates", "Ctrl+Shift+F", "duplicates", "Look for copies and near copies"),
    Action("duplicates.keep_left", "Keep the left one", "[", "", "Remove the right copy"),
    Action("duplicates.keep_right", "Keep the right one", "]", "", "Remove the left copy"),
    Action("duplicates.keep_both", "Not a duplicate", "=", "", "Keep both"),
    Action("duplicates.remove_all", "Remove all copies", "", "trash", "Keep one of every cluster, by the chosen rule"),
    Action("split.assign", "Assign splits", "", "split", "Put every conversation into train, validation or test"),
    Action("export.run", "Export", "Ctrl+E", "export", "Write the files to train on, and their manifest"),
    Action("export.verify", "Verify an export", "", "shield", "Check an export folder against its manifest"),
    Action("train.target_test", "Test the connection", "", "plug", "Ask the service who you are; uploads nothing"),
    Action("train.dry_run", "Dry run", "", "calculator", "Rows, tokens, cost and time, before anything starts"),
    Action("train.start", "Start training", "", "play", "Upload the export and start a job"),
    Action("train.cancel", "Cancel the job", "", "stop", "Stop the running job"),
    Action("try.ask", "Ask both", "", "play", "Send the question to both candidates; Ctrl+Enter does it too"),
    Action("try.stop", "Stop the replies", "Ctrl+Shift+X", "stop", "Let both replies go; what came so far stays"),
    Action("try.question", "A test question", "Ctrl+Shift+T", "sparkle", "Take the next question of the test split"),
    Action("try.keep_left", "Keep the left reply", "Ctrl+Shift+L", "plus", "Make the left exchange a conversation"),
    Action("try.keep_right", "Keep the right reply", "Ctrl+Shift+R", "plus", "Make the right exchange a conversation"),
    Action("evaluate.start", "Evaluate", "", "play", "Ask the chosen candidates the questions of the split"),
    Action("evaluate.stop", "Stop the evaluation", "", "stop", "Stop asking; what came stays, the run can go on"),
    Action("evaluate.report", "Write a report", "", "file", "Write the evaluation as HTML or Markdown"),
)
_GO = _group(
    "go",
    Action("go.write", "Write", "Ctrl+1", "pen", "Go to the conversations"),
    Action("go.label", "Label", "Ctrl+2", "tag", "Go to the queue"),
    Action("go.check", "Check", "Ctrl+3", "shield", "Go to the findings"),
    Action("go.duplicates", "Duplicates", "Ctrl+4", "duplicates", "Go to the copies"),
    Action("go.export", "Split and export", "Ctrl+5", "export", "Go to splits and export"),
    Action("go.train", "Train", "Ctrl+6", "train", "Go to targets and jobs"),
    Action("go.try", "Try", "Ctrl+7", "chat", "Ask a base and a checkpoint side by side"),
    Action("go.evaluate", "Evaluate", "Ctrl+8", "calculator", "Go to figures and replies of the test questions"),
)
_VIEW = _group(
    "view",
    Action("view.palette", "All actions", "Ctrl+K", "command", "Find any action by name"),
    Action("view.rail", "Fold the page list", "Ctrl+B", "sidebar", "Show only the icons of the pages"),
    Action("view.inspector", "Fold the inspector", "Ctrl+Shift+B", "inspector", "Hide or show the right side"),
    Action("view.theme_system", "Theme of the system", "", "monitor", "Light or dark as the system is"),
    Action("view.theme_light", "Light theme", "", "sun", "Dark text on a light ground"),
    Action("view.theme_dark", "Dark theme", "", "moon", "Light text on a dark ground"),
    Action("view.theme_contrast", "High contrast theme", "", "contrast", "The strongest contrast"),
)
_HELP = _group(
    "help",
    Action("help.guide", "Guide", "F1", "book", "Open the guide"),
    Action("help.shortcuts", "Keys", "?", "keyboard", "Show every key"),
    Action("help.about", "About Curator", "", "info", "Version and licences"),
)
# fmt: on

ACTIONS: Final = (
    *_FILE, *_EDIT, *_CONVERSATION, *_LABEL, *_DATASET, *_GO, *_VIEW, *_HELP
)  # fmt: skip


REPEATING: Final = frozenset(
    {
        "conversation.next", "conversation.previous", "message.next", "message.previous",
        "message.up", "message.down", "check.next", "check.previous", "edit.undo", "edit.redo",
    }
)  # fmt: skip
"""Actions that a key held down repeats; any other happens once, or a held A would accept a hundred."""


@cache
def _by_id() -> dict[str, Action]:
    return {entry.id: entry for entry in ACTIONS}


def action(action_id: str) -> Action:
    """Return one action; raises KeyError for an unknown id."""
    return _by_id()[action_id]
