"""Jobs that lack memory or disk, and what they say."""

import errno

import pytest

from curator.tune.local import crash_reasons
from curator.tune.local.job_folders import JobFolder
from curator.tune.local.server.queue import Queue
from tests.tune.local.conftest import Server, needs_trainer, wait_for
from tests.tune.local.test_protocol import options, training_file

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "disk_full"),
        (OSError(errno.ENOENT, "no file"), "internal_error"),
        (MemoryError(), "out_of_memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "out_of_memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "out_of_memory"),
        (RuntimeError("shape mismatch"), "internal_error"),
    ],
)
def test_what_ended_a_job_is_said(error, code):
    message, found, _ = crash_reasons.reason(error, "batch_size 2, accumulation 2")
    assert found == code
    assert ("batch_size 2" in message) == (code == "out_of_memory")


def test_a_worker_the_system_stopped_for_memory_is_said_so(tmp_path, monkeypatch):
    queue = Queue(tmp_path)
    job = queue.add({"base": "tiny", "options": {}})
    job.update(status="running", pid=2**30, born=1.0, memory_kills=3, smaller="batch_size 1")
    monkeypatch.setattr(crash_reasons, "memory_kills", lambda: 4)
    queue.tick()
    assert job.state["error"]["code"] == "out_of_memory"
    assert "batch_size 1" in job.state["error"]["message"]


@pytest.fixture
def small_server(tmp_path, monkeypatch):
    monkeypatch.setenv("CURATOR_TRAINER_MEMORY_MB", "620")
    running = Server(tmp_path / "state")
    running.start()
    yield running
    running.stop()


@needs_trainer
def test_a_job_too_large_for_the_memory_names_what_would_fit(small_server):
    client = small_server.client()
    stored = client.files.create(file=("t.jsonl", training_file()), purpose="fine-tune")

    def run(**values):
        job = client.fine_tuning.jobs.create(
            model="tiny", training_file=stored.id, metadata=options(epochs=1, **values)
        )
        return wait_for(
            lambda: client.fine_tuning.jobs.retrieve(job.id),
            lambda j: j.status in ("succeeded", "failed"),
        )

    failed = run(batch_size=256)
    assert (failed.error.code, failed.error.param) == ("out_of_memory", "batch_size")
    assert "It would fit with batch_size " in failed.error.message
    size = int(failed.error.message.split("batch_size ")[1].split(",")[0].rstrip("."))
    assert run(batch_size=size).status == "succeeded"


@needs_trainer
def test_a_full_disk_stops_a_job_that_can_go_on(server, monkeypatch):
    """The limit on the size of a file stands for the full disk: the checkpoint is over it."""
    resource = pytest.importorskip("resource")
    import psutil

    client = server.client(strict=False)
    data = training_file()
    warm = client.files.create(file=("t.jsonl", data), purpose="fine-tune")

    def start(**values):
        return client.fine_tuning.jobs.create(
            model="tiny", training_file=warm.id, metadata=options(**values)
        )

    def ended(job):
        return wait_for(
            lambda: client.fine_tuning.jobs.retrieve(job.id),
            lambda j: j.status in ("succeeded", "failed"),
        )

    assert ended(start(epochs=1)).status == "succeeded"  # makes the tiny base
    pid = server.process.pid
    whole = psutil.Process(pid).rlimit(resource.RLIMIT_FSIZE)
    psutil.Process(pid).rlimit(resource.RLIMIT_FSIZE, (300_000, whole[1]))
    job = start(epochs=3)
    failed = ended(job)
    assert failed.error.code == "disk_full", failed.error
    assert "resume" in failed.error.message
    assert not list((server.state / "local" / "jobs" / job.id / "checkpoints").iterdir())
    psutil.Process(pid).rlimit(resource.RLIMIT_FSIZE, whole)
    client.fine_tuning.jobs.resume(job.id)
    assert ended(job).status == "succeeded"
    assert not (JobFolder(server.state / "local" / "jobs" / job.id).path / "reserve").exists()
