"""The nouns: conversations, what people say of them, and the edits that change them."""

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
