import random
import threading

import pytest

from curator.dataset import Edit, SettingPatch
from curator.project import Project
from curator.project.store.bulk import Bulk
from curator.project.store.connection import PAGE_SIZE, connect
from curator.project.store.wal import DUE_PAGES, LogWatch
from tests.project.building import annotate, columns_of, import_lines, line


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "a.curator", author="ann") as made:
        yield made


def log_of(project: Project):
    return project.path.with_name("a.curator-wal")


def test_the_log_is_moved_into_the_file_behind_the_edits(project):
    limit = 3 * DUE_PAGES * PAGE_SIZE
    was, chance = None, random.Random(3)
    for _ in range(16):
        now = chance.randbytes(1_500_000).hex()
        project.apply(Edit("E", "a", (SettingPatch("x", was, now),)))
        was = now
        project._checkpointer.close()
    assert log_of(project).stat().st_size < limit
    assert project.path.stat().st_size > 400_000


def test_an_import_keeps_its_log_short(project):
    segment, columns = columns_of([line("x" * 2_000_000)])
    with Bulk(project) as bulk:
        source = bulk.add_source("/a", "a")
        for _ in range(30):
            bulk.add(segment, columns, source=source)
    assert log_of(project).stat().st_size < 2 * DUE_PAGES * PAGE_SIZE


def test_two_checkpoints_at_once_do_no_harm(project):
    import_lines(project, [line(str(n)) for n in range(3)])
    connections = [connect(project.path, write=True) for _ in range(4)]
    watches = [LogWatch(each) for each in connections]

    def work(watch: LogWatch) -> None:
        for _ in range(20):
            watch.checkpoint()

    threads = [threading.Thread(target=work, args=(watch,)) for watch in watches]
    for thread in threads:
        thread.start()
    for n in range(20):
        project.apply(annotate("flag", [1], n % 2 == 1, n % 2 == 0))
    for thread in threads:
        thread.join()
    for each in connections:
        each.close()
    assert project.annotation(1).flag is False
