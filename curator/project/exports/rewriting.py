"""The lines of an export in the format that was chosen, and what of them that format does not keep."""

from collections import Counter
from collections.abc import Sequence

from curator.dataset.counted import counted, first_of
from curator.formats.conversion import CannotHold
from curator.formats.registry import Format
from curator.project.exports.lines import Part
from curator.project.exports.selection import Selection


class Rewriting:
    """Writes stored lines in a format.

    losses counts the conversations that lose something, by what it is. A conversation that the format
    cannot hold is not written at all.
    """

    def __init__(self, known: Format) -> None:
        self._format = known
        self.name = known.name
        self.losses: Counter[str] = Counter()
        self._not_held: dict[str, list[int]] = {}

    def rewritten(self, part: Part) -> Part:
        """Return some lines in the format, less those that it cannot hold."""
        if self._format.is_stored:
            return part
        kept: list[tuple[bytes, int, tuple[str, int | None]]] = []
        lines = bytes(part.raw).split(b"\n")
        for line, id_, place in zip(lines, part.ids, part.places, strict=True):
            try:
                written, losses = self._format.write_line(line)
            except CannotHold as error:
                self._not_held.setdefault(str(error), []).append(id_)
                continue
            self.losses.update(losses)
            kept.append((written, id_, place))
        raw = b"\n".join(line for line, _, _ in kept)
        return Part(part.code, raw, [id_ for _, id_, _ in kept], [place for *_, place in kept])

    def only_held(self, selection: Selection) -> Selection:
        """Return a selection less what could not be written, with the reasons."""
        title = self._format.title.partition(" ")[0]
        for what, ids in self._not_held.items():

            def note(lost: Sequence[int], what: str = what) -> str:
                number = counted(len(lost), "conversation was", "conversations were")
                return (
                    f"{title} has no place for {what}, so {number} not written "
                    f"(conversation {first_of(tuple(lost), 5)})."
                )

            selection = selection.without(ids, f"{what}: not in {title}", note)
        return selection
