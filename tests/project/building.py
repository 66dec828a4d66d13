"""Small projects for tests."""

from collections.abc import Sequence
from itertools import accumulate

from curator.dataset import AnnotationPatch, ContentPatch, Conversation, Edit, Finding, Message
from curator.project import Project
from curator.project.store.bulk import BULK_COLUMNS, Bulk


def line(question: str, answer: str = "Yes.") -> str:
    return Conversation.of(
        [Message.of("user", question), Message.of("assistant", answer)]
    ).to_json()


def write(project: Project, *texts: str) -> list[int]:
    """Write conversations by hand, each in an edit of its own."""
    ids = project.new_conversation_ids(len(texts))
    for id_, text in zip(ids, texts, strict=True):
        project.apply(Edit("New", "ann", (ContentPatch(id_, None, text),)))
    return ids


def annotate(field: str, ids: Sequence[int], before: object, after: object, by: str = "") -> Edit:
    return Edit(
        f"Set {field}", "ann", (AnnotationPatch(field, tuple(ids), (before,), (after,), by),)
    )


def columns_of(texts: Sequence[str], **more: Sequence[object]) -> tuple[bytes, dict[str, object]]:
    """Make a segment and its columns as the kernel would, with made-up numbers."""
    raw = [text.encode() for text in texts]
    starts = list(accumulate((len(each) + 1 for each in raw), initial=0))[: len(raw)]
    columns: dict[str, object] = {name: [0] * len(raw) for name in BULK_COLUMNS}
    columns |= {
        "start": starts,
        "length": [len(each) for each in raw],
        "source_line": list(range(1, len(raw) + 1)),
        "beginnings": [b""] * len(raw),
        "import_hash": list(range(100, 100 + len(raw))),
        "title": [Conversation.parse(text).title for text in texts],
        **more,
    }
    return b"\n".join(raw), columns


def import_lines(
    project: Project,
    texts: Sequence[str],
    name: str = "a.jsonl",
    findings: Sequence[tuple[int, Finding]] = (),
    **more: Sequence[object],
) -> list[int]:
    """Import lines through bulk()."""
    segment, columns = columns_of(texts, **more)
    with Bulk(project) as bulk:
        source = bulk.add_source(f"/data/{name}", name)
        ids = bulk.add(segment, columns, source=source, findings=findings)
    return list(ids)


def unindexed(reader):
    """Return how many conversations the word index does not know yet."""
    with reader.reading() as connection:
        sql = "SELECT count(*) FROM conversation WHERE id > (SELECT indexed FROM search_progress)"
        return connection.execute(sql).get
