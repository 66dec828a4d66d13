"""What an edit changed, so that a page or table can re-read just that."""

from dataclasses import dataclass

from curator.dataset import AnnotationPatch, ContentPatch, Edit


@dataclass(frozen=True, slots=True)
class Changes:
    """The news of one applied edit.

    fields names what changed: "content", an annotation field such as "status", or "label:NAME".
    rows_changed says that conversations were added or taken away; settings names project settings;
    at is when it happened (unix ms).
    """

    edit: Edit
    conversations: tuple[int, ...]
    fields: frozenset[str]
    rows_changed: bool = False
    settings: tuple[str, ...] = ()
    at: int = 0

    @classmethod
    def of(cls, edit: Edit, at: int) -> "Changes":
        """Read from an edit what it changes."""
        fields: set[str] = set()
        settings: dict[str, None] = {}
        rows_changed = False
        for patch in edit.patches:
            if isinstance(patch, ContentPatch):
                fields.add("content")
                rows_changed |= patch.before is None or patch.after is None
            elif isinstance(patch, AnnotationPatch):
                fields.add(patch.field)
            else:
                settings[patch.name] = None
        return cls(edit, edit.conversations(), frozenset(fields), rows_changed, tuple(settings), at)
