"""The one value by which anything changes: it can be applied, undone, merged and kept in a journal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from curator.dataset.json_values import Json, canonical


@dataclass(frozen=True, slots=True)
class ContentPatch:
    """One conversation's line before and after; None means it does not exist."""

    conversation: int
    before: str | None
    after: str | None

    def inverse(self) -> "ContentPatch":
        """Return the patch that takes this one back."""
        return ContentPatch(self.conversation, self.after, self.before)


@dataclass(frozen=True, slots=True)
class AnnotationPatch:
    """One annotation field of many conversations; before and after hold one value for all, or one each.

    field is status, flag, note, tags, split, removed, metadata, or ``label:NAME`` (whose annotator
    counts). A removed value is None or ``{"reason": ..., "partner": ...}``; an absent label is None.
    """

    field: str
    conversations: tuple[int, ...]
    before: tuple[Json, ...]
    after: tuple[Json, ...]
    annotator: str = ""

    def __post_init__(self) -> None:
        for values in (self.before, self.after):
            if len(values) not in (1, len(self.conversations)):
                raise ValueError("give one value for all conversations, or one for each")

    def inverse(self) -> "AnnotationPatch":
        """Return the patch that takes this one back."""
        return replace(self, before=self.after, after=self.before)


@dataclass(frozen=True, slots=True)
class SettingPatch:
    """One project setting (label sets, split plan, system prompts) before and after; None is absent."""

    name: str
    before: Json
    after: Json

    def inverse(self) -> "SettingPatch":
        """Return the patch that takes this one back."""
        return SettingPatch(self.name, self.after, self.before)


def one_for_all(values: Sequence[Json]) -> tuple[Json, ...]:
    """Return what an AnnotationPatch holds for these values, one for each: one where all are equal."""
    equal = bool(values) and all(value == values[0] for value in values)
    return (values[0],) if equal else tuple(values)


Patch = ContentPatch | AnnotationPatch | SettingPatch


@dataclass(frozen=True, slots=True)
class Edit:
    """A titled change by one author; edits with the same non-empty merge_key that follow each other are one step."""

    title: str
    author: str
    patches: tuple[Patch, ...]
    merge_key: str = ""

    @property
    def changes_nothing(self) -> bool:
        """Whether all is afterwards as it was before, so that there is nothing to undo."""
        return all(_is_idle(patch) for patch in self.patches)

    def inverse(self) -> "Edit":
        """Return the edit that takes this one back."""
        return Edit(
            self.title,
            self.author,
            tuple(p.inverse() for p in reversed(self.patches)),
            self.merge_key,
        )

    def then(self, later: "Edit") -> "Edit":
        """Return one edit that does this and then the later one, patches of the same place joined."""
        return replace(self, patches=_joined((*self.patches, *later.patches)))

    def conversations(self) -> tuple[int, ...]:
        """Return the ids of all conversations touched, each once, in order."""
        ids: dict[int, None] = {}
        for patch in self.patches:
            if isinstance(patch, ContentPatch):
                ids[patch.conversation] = None
            elif isinstance(patch, AnnotationPatch):
                ids.update(dict.fromkeys(patch.conversations))
        return tuple(ids)


def _is_idle(patch: Patch) -> bool:
    if isinstance(patch, SettingPatch):
        # As JSON: Python takes true and 1 for equal.
        return canonical(patch.before) == canonical(patch.after)
    if isinstance(patch, ContentPatch):
        return patch.before == patch.after
    if len(patch.before) == len(patch.after):
        return patch.before == patch.after
    # One value for all on one side, one each on the other.
    return len({*map(repr, patch.before), *map(repr, patch.after)}) == 1


def _joined(patches: Iterable[Patch]) -> tuple[Patch, ...]:
    joined: list[Patch] = []
    for patch in patches:
        last = joined[-1] if joined else None
        if last is not None and _same_place(last, patch):
            joined[-1] = replace(last, after=patch.after)  # type: ignore[arg-type]
        else:
            joined.append(patch)
    return tuple(joined)


def _same_place(a: Patch, b: Patch) -> bool:
    if isinstance(a, ContentPatch) and isinstance(b, ContentPatch):
        return a.conversation == b.conversation
    if isinstance(a, SettingPatch) and isinstance(b, SettingPatch):
        return a.name == b.name
    if isinstance(a, AnnotationPatch) and isinstance(b, AnnotationPatch):
        return (a.field, a.annotator, a.conversations) == (b.field, b.annotator, b.conversations)
    return False
