"""A process killed at any moment: the file opens, its journal is whole, nothing acknowledged is lost.

CURATOR_KILLS=200 kills that many times.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from curator.dataset import Conversation
from curator.project import Project, Reader
from curator.project.queries.index import Index
from tests.project.building import line, write

KILLS = int(os.environ.get("CURATOR_KILLS", "15"))

TYPING = """
import sys
from curator.dataset import ContentPatch, AnnotationPatch, Edit
from curator.project import Project
from tests.project.building import line

project = Project.open(sys.argv[1], author="ann")
count = int(sys.argv[2])
while True:
    count += 1
    was, now = project.content(1), line(f"typed {count}", "x" * (count % 900))
    flagged = project.annotation(1).flag
    flag = AnnotationPatch("flag", (1, 2, 3), (flagged,), (not flagged,))
    key = "" if count % 7 == 0 else "typing:1"
    patches = (ContentPatch(1, was, now), flag) if count % 3 == 0 else (ContentPatch(1, was, now),)
    project.apply(Edit(f"Type {count}", "ann", patches, key))
    print(count, flush=True)
"""

IMPORTING = """
import sys
from curator.project import Project
from curator.project.store.bulk import Bulk
from tests.project.building import columns_of, line

project = Project.open(sys.argv[1], author="ann")
count = int(sys.argv[2])
while True:
    count += 1
    with Bulk(project) as bulk:
        source = bulk.add_source(f"/{count}.jsonl", f"{count}.jsonl")
        for part in range(5):
            texts = [line(f"{count} {part} {n}", "y" * 300) for n in range(50)]
            segment, columns = columns_of(texts)
            bulk.add(segment, columns, source=source)
    print(count, flush=True)
"""


def run_and_kill(script: str, path: Path, start: int, after: float) -> int:
    """Run a script, kill it some time after its first acknowledgement, return the last one."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path), str(start)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    last = int(process.stdout.readline())
    time.sleep(after)
    process.kill()
    acknowledged = [int(each) for each in process.stdout.read().split("\n")[:-1]]
    process.wait()
    process.stdout.close()
    return max([last, *acknowledged])


def check_whole(project: Reader) -> None:
    with project.reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        states = connection.execute("SELECT count(*) FROM source WHERE state = 'importing'")
        assert states.fetchall() == [(0,)]
        lost = "SELECT count(*) FROM edit WHERE id NOT IN (SELECT edit FROM patch)"
        assert connection.execute(lost).fetchall() == [(0,)]


def type_and_kill(folder: Path, kills: int) -> None:
    path = folder / "a.curator"
    with Project.create(path, author="ann") as project:
        write(project, line("typed 0", ""), line("two"), line("three"))
    chance, last = random.Random(11), 0
    for _ in range(kills):
        last = run_and_kill(TYPING, path, last, chance.uniform(0, 0.08))
        with Project.open(path, author="ann") as project:
            assert not project.read_only
            check_whole(project)
            typed = int(project.conversation(1).title.removeprefix("typed "))
            assert typed in (last, last + 1), "an acknowledged edit is gone"
            last = typed
            # What the journal says it changed is what stands in the rows, step after step.
            while project.undo_title() != "New":
                project.undo()
            assert project.conversation(1).title == "typed 0"
            while project.redo() is not None:
                pass
            assert project.conversation(1).title == f"typed {typed}"
            assert project.annotation(2).flag is (
                sum(n % 3 == 0 for n in range(1, typed + 1)) % 2 == 1
            )


def import_and_kill(folder: Path, kills: int) -> None:
    chance = random.Random(12)
    for kill in range(kills):
        path = folder / f"{kill}.curator"
        Project.create(path).close()
        last = run_and_kill(IMPORTING, path, 0, chance.uniform(0, 0.15))
        with Project.open(path) as project:
            check_whole(project)
            *done, latest = project.sources()
            if latest.state == "done":
                done.append(latest)
            else:
                assert latest.state == "interrupted"
            assert last <= len(done) <= last + 1, "an acknowledged import is gone"
            assert [each.name for each in done] == [f"{n + 1}.jsonl" for n in range(len(done))]
            assert {each.imported for each in done} == {250}
            assert sum(each.imported for each in project.sources()) == project.count()
            titles = [Conversation.parse(text).title for _, text in project.iterate()]
            assert len(set(titles)) == project.count()
            with_rows = [each for each in project.sources() if each.imported]
            assert len(project.journal(10_000)) == len(with_rows)
            while project.undo() is not None:
                pass
            assert Index(project.path).counts()["all"] == 0


def test_a_few_kills_while_typing(tmp_path):
    type_and_kill(tmp_path, 3)


def test_a_few_kills_while_importing(tmp_path):
    import_and_kill(tmp_path, 2)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_kills_while_typing(tmp_path):
    type_and_kill(tmp_path, KILLS)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_kills_while_importing(tmp_path):
    import_and_kill(tmp_path, KILLS)
