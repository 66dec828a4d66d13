"""The collector runs in the window's thread only, however much another thread allocates."""

import gc
import threading

import pytest
from PySide6.QtCore import QObject

from curator.app.session.collector import Collector


@pytest.fixture
def collector(qapp):
    parent = QObject()
    yield Collector(parent)
    parent.deleteLater()
    gc.enable()


class Cycle:
    """Something only the collector can throw away; it tells in which thread that was."""

    where: list[int] = []  # noqa: RUF012 - shared on purpose

    def __init__(self):
        self.me = self

    def __del__(self):
        self.where.append(threading.get_ident())


def test_what_another_thread_leaves_is_thrown_away_in_this_one(collector, qtbot):
    Cycle.where.clear()

    def allocate():
        for _ in range(5):
            Cycle()
        keep = [[number] for number in range(20_000)]
        del keep

    thread = threading.Thread(target=allocate)
    thread.start()
    thread.join()
    assert Cycle.where == []
    keep = [[number] for number in range(5_000)]
    qtbot.waitUntil(lambda: len(Cycle.where) == 5, timeout=20_000)
    assert set(Cycle.where) == {threading.get_ident()}
    del keep


def test_older_generations_are_collected_when_their_turn_comes(collector):
    keep = []
    most = 0
    for _ in range(300):
        keep.append([[number] for number in range(1_000)])
        most = max(most, collector.look())
        if most >= 2:
            break
    assert most >= 2


def test_nothing_is_collected_while_nothing_was_allocated(collector):
    collector.look()
    assert collector.look() == 0
