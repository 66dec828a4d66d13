"""The nouns: conversations, what people say of them, and the edits that change them.

Each noun's module is imported when the noun is first asked for, so that the window is up before.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curator.dataset.conversation import Conversation, Message, ToolCall
    from curator.dataset.edit import AnnotationPatch, ContentPatch, Edit, SettingPatch
    from curator.dataset.errors import CuratorError
    from curator.dataset.finding import Finding, Place
    from curator.dataset.label import Annotation, Label, LabelSet, Removal, Status
    from curator.dataset.split import Split

__all__ = [
    "Annotation",
    "AnnotationPatch",
    "ContentPatch",
    "Conversation",
    "CuratorError",
    "Edit",
    "Finding",
    "Label",
    "LabelSet",
    "Message",
    "Place",
    "Removal",
    "SettingPatch",
    "Split",
    "Status",
    "ToolCall",
]

_HOMES = {
    "conversation": ("Conversation", "Message", "ToolCall"),
    "edit": ("AnnotationPatch", "ContentPatch", "Edit", "SettingPatch"),
    "errors": ("CuratorError",),
    "finding": ("Finding", "Place"),
    "label": ("Annotation", "Label", "LabelSet", "Removal", "Status"),
    "split": ("Split",),
}
_HOME_OF = {noun: home for home, nouns in _HOMES.items() for noun in nouns}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    noun = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = noun
    return noun
