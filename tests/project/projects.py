"""Small projects for tests: lines as an import would store them, and annotations."""

import hashlib

from curator.curate.analysis import identity
from curator.curate.checks import check_conversation
from curator.dataset import ContentPatch, Conversation, Edit, Message
from curator.project.labels import annotation_patch
from curator.project.store.bulk import BULK_COLUMNS, Bulk


def line(prompt, answer="An answer.", **more):
    """One plain training line."""
    return Conversation.of(
        [Message.of("user", prompt), Message.of("assistant", answer)], **more
    ).to_json()


def hashed(text):
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def import_lines(project, lines, name="file.jsonl", origin=None):
    """Store lines in one segment as an import does; returns their ids."""
    raws = [text if isinstance(text, bytes) else text.encode() for text in lines]
    columns = {column: [0] * len(raws) for column in BULK_COLUMNS}
    findings = []
    start = 0
    for row, raw in enumerate(raws):
        conversation = Conversation.parse(raw.decode())
        found = check_conversation(conversation, raw=raw.decode())
        findings += [(row, each) for each in found]
        read = identity.read(conversation)
        values = {
            "start": start,
            "length": len(raw),
            "source_line": row + 1,
            "tokens": len(raw) // 4,
            "trained_tokens": len(raw) // 8,
            "tokens_exact": 1,
            "n_messages": len(conversation.messages),
            "n_turns": 1,
            "errors": sum(each.severity == "error" for each in found),
            "warnings": sum(each.severity == "warning" for each in found),
            "content_hash": hashed(conversation.canonical()),
            "import_hash": hashed(conversation.canonical()),
            "prompt_hash": read.prompt,
            "beginnings": read.beginnings,
            "system_hash": hashed(conversation.system_prompt) if conversation.system_prompt else 0,
            "title": conversation.title.encode("utf-8", "replace").decode(),
        }
        for column, value in values.items():
            columns[column][row] = value
        start += len(raw) + 1
    with Bulk(project) as bulk:
        source = bulk.add_source(str(origin or name), name, "", "openai_chat")
        ids = bulk.add(b"\n".join(raws), columns, source=source, findings=findings)
        bulk.finish_source(source, records=len(raws))
    return list(ids)


def annotate(project, ids, field, value, **more):
    """Give conversations one annotation, as a page does."""
    patch = annotation_patch(project, ids, field, value, **more)
    project.apply(Edit(field, "ann", (patch,)))


def edit(project, id_, text):
    """Change one conversation's content."""
    patch = ContentPatch(id_, project.content(id_), text)
    project.apply(Edit("edit", "ann", (patch,)))
