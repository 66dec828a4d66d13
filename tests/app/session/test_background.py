"""Background work: news in the GUI thread, cancel, failure, bugs, and an end in time."""

import threading

import pytest

from curator.app.session.background import Jobs, Progress
from curator.dataset.errors import Cancelled, ProjectError


@pytest.fixture
def jobs(qapp):
    made = Jobs()
    yield made
    assert made.shutdown(5)
    made.deleteLater()


def test_work_runs_elsewhere_and_its_news_arrive_here(jobs, qtbot):
    here = threading.current_thread()
    seen = []

    def work(progress, _cancelled):
        assert threading.current_thread() is not here
        progress(1, 2, "half")
        return 42

    job = jobs.start("Work", work)
    job.progressed.connect(lambda news: seen.append((threading.current_thread(), news)))
    job.succeeded.connect(lambda result: seen.append((threading.current_thread(), result)))
    with qtbot.waitSignal(job.ended, timeout=5000):
        pass
    assert all(thread is here for thread, _ in seen)
    assert [news for _, news in seen] == [Progress(1, 2, "half"), 42]
    assert jobs.running() == ()


def test_progress_is_rate_limited_but_the_last_word_comes_through(jobs, qtbot):
    seen = []

    def work(progress, _cancelled):
        for done in range(1, 10_001):
            progress(done, 10_000, "counting")

    job = jobs.start("Count", work)
    job.progressed.connect(seen.append)
    with qtbot.waitSignal(job.ended, timeout=5000):
        pass
    assert len(seen) < 100
    assert seen[-1].done == 10_000
    assert seen[-1].share == 1.0


def test_cancel_reaches_the_work(jobs, qtbot):
    began = threading.Event()

    def work(_progress, cancelled):
        began.set()
        while not cancelled():
            threading.Event().wait(0.005)
        raise Cancelled("stopped")

    job = jobs.start("Wait", work)
    failures = []
    job.failed.connect(failures.append)
    assert began.wait(5)
    with qtbot.waitSignal(job.ended, timeout=5000):
        job.cancel()
    assert failures == []


def test_a_failure_carries_its_error_and_is_no_bug(jobs, qtbot):
    bugs = []
    jobs.bug_found.connect(bugs.append)

    def work(_progress, _cancelled):
        raise ProjectError("The disk is full.")

    job = jobs.start("Fail", work)
    with qtbot.waitSignal(job.failed, timeout=5000) as caught:
        pass
    assert str(caught.args[0]) == "The disk is full."
    assert bugs == []


def test_a_bug_is_told_apart(jobs, qtbot):
    def work(_progress, _cancelled):
        return 1 // 0

    with qtbot.waitSignal(jobs.bug_found, timeout=5000) as caught:
        jobs.start("Bug", work)
    assert isinstance(caught.args[0], ZeroDivisionError)


def test_many_jobs_lose_no_news(jobs, qtbot):
    results = []
    for number in range(200):
        job = jobs.start("Many", lambda _p, _c, number=number: number)
        job.succeeded.connect(results.append)
    qtbot.waitUntil(lambda: len(results) == 200, timeout=30_000)
    assert sorted(results) == list(range(200))


def test_shutdown_gives_up_on_work_that_does_not_listen(qapp):
    jobs = Jobs()
    release = threading.Event()
    jobs.start("Deaf", lambda _p, _c: release.wait(20))
    assert jobs.shutdown(0.05) is False
    release.set()
    jobs.deleteLater()
