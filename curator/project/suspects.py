"""Which labels of a project look wrong, by what its other conversations say (curate.suspects)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from curator.curate.suspects import find_suspects
from curator.dataset import Conversation
from curator.dataset.errors import WrongUse
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.dataset.record import Record
from curator.dataset.small_files import written_whole
from curator.project.labels import label_sets
from curator.project.store.label_rows import answered_sets, labels_that_count
from curator.project.store.reader import Reader

_DIGITS = 4
_ENOUGH = 0.6


class SuspectLabel(NamedTuple):
    """A labelled conversation: its label, the one that fits best beside it, and by how much better.

    nearest is the conversation of that label which is most like it, known for the most suspect ones.
    """

    conversation: int
    source_line: int | None
    given: str
    suggested: str
    score: float
    nearest: int | None


@dataclass(frozen=True, slots=True)
class Suspects:
    """Every labelled conversation with its score, the most suspect first."""

    label_set: str
    classes: int
    rows: tuple[SuspectLabel, ...]

    @property
    def disagreeing(self) -> tuple[SuspectLabel, ...]:
        """Those for which another label fits better than the given one."""
        return tuple(row for row in self.rows if row.score > 0)

    @property
    def agreeing(self) -> float:
        """The share of the labels that the others would have given too, of those that can be judged."""
        judged = sum(row.suggested != "" for row in self.rows)
        return 1 - len(self.disagreeing) / judged if judged else 1.0

    @property
    def is_doubtful(self) -> bool:
        """Whether so few labels follow from what is asked that most of the list will be right as it is.

        So it is with few conversations for many labels, or with labels that are about the answer.
        """
        return self.agreeing < _ENOUGH


def suspects(
    reader: Reader,
    label_set: str,
    ids: Sequence[int],
    me: str = "",
    *,
    progress: ProgressCall,
    cancelled: CancelledCall,
) -> Suspects:
    """Compare the label that counts of each of some conversations with those of the others.

    Where annotators differ, my answer counts, or else the one that curate.labels names. What a
    conversation asks is compared, never what it answers: a demonstrated answer often names its label.
    Raises WrongUse for a label set that nobody answered, Cancelled where cancelled says so.
    """
    known = {each.name for each in label_sets(reader)} | set(answered_sets(reader))
    if label_set not in known:
        names = ", ".join(sorted(known)) or "none"
        raise WrongUse(f'There is no label set "{label_set}" (there: {names}).')
    wanted = set(ids)
    labels = {
        id_: value for id_, _, value in labels_that_count(reader, label_set, me) if id_ in wanted
    }
    if not labels:
        raise WrongUse(
            f'None of these conversations has a label of "{label_set}" yet, so there is nothing to '
            "compare."
        )
    texts = {id_: asked(Record.parse(line).shared) for id_, line in reader.iterate(sorted(labels))}
    given = [labels[id_] for id_ in texts]
    found = find_suspects(list(texts.values()), given, progress=progress, cancelled=cancelled)
    lines = dict(zip(reader.ids().tolist(), reader.column("source_line").tolist(), strict=True))
    conversations = list(texts)
    rows = (
        SuspectLabel(
            conversation := conversations[each.row],
            lines[conversation] or None,
            each.given,
            each.suggested,
            round(each.score, _DIGITS),
            None if each.nearest is None else conversations[each.nearest],
        )
        for each in found
    )
    return Suspects(label_set, len(set(given)), tuple(rows))


def asked(conversation: Conversation) -> str:
    """Return what the user says in a conversation, turn by turn."""
    return "\n".join(message.text for message in conversation.messages if message.role == "user")


def write_suspects(found: Suspects, path: Path) -> None:
    """Write every labelled conversation as tab-separated values, the most suspect first.

    Labels hold no tabs and no line breaks that a reader would trip over: both become spaces.
    """
    with written_whole(path) as file:
        file.write("\t".join(SuspectLabel._fields[:-1]) + "\n")
        for row in found.rows:
            cells = ("" if cell is None else " ".join(str(cell).split()) for cell in row[:-1])
            file.write("\t".join(cells) + "\n")
