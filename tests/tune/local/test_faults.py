"""What goes wrong around a job: the clock, a suspended worker, memory, a broken base, a taken port."""

import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import openai
import psutil
import pytest

from curator.tune.local.job_folders import JobFolder, local_root, write_json
from curator.tune.local.options import TrainingOptions
from curator.tune.local.server import service
from curator.tune.local.server.queue import Queue
from curator.tune.local.server.uploads_api import UploadStore
from tests.tune.local.conftest import TRAINER, Server, needs_trainer, wait_for
from tests.tune.local.test_protocol import options, training_file

pytestmark = pytest.mark.slow

SPEC = {"base": "tiny", "options": {}}
HOME = str(Path(__file__).parents[3])
posix_only = pytest.mark.skipif(os.name == "nt", reason="signals and limits of POSIX")


def start(client, *, model="tiny", data=None, **values):
    stored = client.files.create(file=("t.jsonl", data or training_file()), purpose="fine-tune")
    return client.fine_tuning.jobs.create(
        model=model, training_file=stored.id, metadata=options(**values)
    )


def ended(client, job):
    return wait_for(
        lambda: client.fine_tuning.jobs.retrieve(job.id),
        lambda j: j.status in ("succeeded", "failed"),
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps its start as a clock time")
def test_a_worker_is_alive_after_the_clock_was_set(tmp_path, monkeypatch):
    queue = Queue(tmp_path, sys.executable)
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        monkeypatch.setattr(queue, "trainer", lambda: sys.executable)
        job = queue.add(SPEC)
        monkeypatch.setattr("subprocess.Popen", lambda *_, **__: sleeper)
        queue.tick()
        assert job.state["status"] == "starting"
        # A clock set forward moves the moment at which the machine is thought to have started.
        shown = psutil.boot_time()
        monkeypatch.setattr("psutil._pslinux.boot_time", lambda: shown + 3600)
        monkeypatch.setattr("psutil._pslinux.BOOT_TIME", None, raising=False)
        queue.tick()
        assert job.state["status"] == "starting"
    finally:
        sleeper.kill()
        sleeper.wait(timeout=20)
    queue.tick()
    assert job.state["error"]["code"] == "worker_died"


def test_jobs_keep_their_order_when_the_clock_is_set_back(tmp_path, monkeypatch):
    queue = Queue(tmp_path)
    first = queue.add(SPEC)
    now = time.time_ns()
    monkeypatch.setattr("time.time_ns", lambda: now - 10**13)
    later = [queue.add(SPEC) for _ in range(3)]
    assert [job.id for job in queue.all()] == [first.id, *(job.id for job in later)]


@needs_trainer
def test_a_worker_whose_clock_jumps_ends_its_job(tmp_path):
    """The clock of a real worker goes back a day at every look, and forward at every third."""
    (tmp_path / "sitecustomize.py").write_text(
        "import time\nreal = time.time\nlooks = [0]\n"
        "def time_now():\n    looks[0] += 1\n"
        "    return real() + (86400 if looks[0] % 3 == 0 else -86400 * looks[0])\n"
        "time.time = time_now\n"
    )
    job = job_folder(tmp_path / "job", epochs=3)
    done = work(job, PYTHONPATH=f"{tmp_path}{os.pathsep}{HOME}")
    assert done.returncode == 0, done.stderr[-2000:]
    assert job.state["status"] == "succeeded"
    steps = [e["data"]["step"] for e in job.events() if e["type"] == "metrics"]
    assert steps == list(range(1, len(steps) + 1))


def job_folder(path, base="tiny", data=None, **values):
    """A job as the server leaves it for its worker."""
    job = JobFolder(path)
    job.path.mkdir(parents=True)
    (job.path / "train.jsonl").write_bytes((data or training_file()).getvalue())
    chosen = TrainingOptions(method="full").with_values({"batch_size": 8, **values}).to_json()
    spec = {"base": str(base), "base_folder": str(path.parent / "bases"), "options": chosen}
    spec["training_path"] = "train.jsonl"
    write_json(job.path / "spec.json", spec)
    write_json(job.path / "state.json", {"status": "queued"})
    return job


def work(job, command=None, **environment):
    """Run a real worker on a job folder."""
    state = {"CURATOR_STATE": str(job.path.parent / "state"), "PYTHONPATH": HOME}
    usual = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [TRAINER, *(command or ["-m", "curator.tune.local.trainer.worker"]), str(job.path)],
        env={**os.environ, **usual, **state, **environment},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


LIMITED = """
import resource, sys
import torch, transformers, peft, accelerate
from curator.tune.local.trainer import loop, worker

plain = loop.Loop.run
def run(self):
    # From here on little is left: what the steps ask for beyond it is refused, as by a full machine.
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 200 * 2**20, resource.RLIM_INFINITY))
    return plain(self)
loop.Loop.run = run
sys.exit(worker.main([sys.argv[1]]))
"""


@needs_trainer
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory is Linux's")
def test_a_worker_that_runs_out_of_memory_names_what_needs_less(tmp_path):
    talk = {
        "messages": [
            {"role": "user", "content": "go on"},
            {"role": "assistant", "content": "the card is on its way to you and " * 60},
        ]
    }
    many = io.BytesIO("".join(json.dumps(talk) + "\n" for _ in range(64)).encode())
    # What is free says that it would do; the steps find out that it does not.
    plenty = {"CURATOR_TRAINER_MEMORY_MB": "16000"}
    large = job_folder(tmp_path / "large", data=many, batch_size=64, epochs=1)
    done = work(large, ["-c", LIMITED], **plenty)
    assert done.returncode == 1
    error = large.state["error"]
    assert error["code"] == "out_of_memory", error
    assert "Try batch_size " in error["message"]
    size = int(error["message"].split("batch_size ")[1].split(",")[0].rstrip("."))
    assert size < 64
    many.seek(0)
    small = job_folder(tmp_path / "small", data=many, batch_size=min(size, 4), epochs=1)
    assert work(small, ["-c", LIMITED], **plenty).returncode == 0
    assert small.state["status"] == "succeeded"


@needs_trainer
@posix_only
def test_a_suspended_worker_goes_on_where_it_was(server):
    client = server.client()
    job = start(client, method="full", epochs=50, batch_size=4)
    state = server.state / "local" / "jobs" / job.id / "state.json"
    wait_for(lambda: json.loads(state.read_text()), lambda s: s.get("step", 0) > 5)
    worker = psutil.Process(json.loads(state.read_text())["pid"])
    worker.suspend()
    wait_for(worker.status, lambda s: s == psutil.STATUS_STOPPED)
    before = json.loads(state.read_text())["step"]
    time.sleep(1.5)  # several looks of the queue
    assert client.fine_tuning.jobs.retrieve(job.id).status == "running"
    assert json.loads(state.read_text())["step"] == before
    worker.resume()
    wait_for(lambda: json.loads(state.read_text())["step"], lambda step: step > before)
    with contextlib.suppress(openai.BadRequestError):  # it may have ended meanwhile
        client.fine_tuning.jobs.cancel(job.id)
    last = wait_for(
        lambda: client.fine_tuning.jobs.retrieve(job.id), lambda j: j.status != "running"
    )
    assert last.status in ("cancelled", "succeeded")


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "base"
    make = "import sys; from pathlib import Path; from curator.tune.local.bases.bases import make_tiny; "
    make += "make_tiny(Path(sys.argv[1]))"
    subprocess.run(
        [TRAINER, "-c", make, str(folder)],
        env={**os.environ, "PYTHONPATH": HOME},
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture
def base(tmp_path, tiny_folder):
    """A copy of the tiny base as a folder of its own."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "base"))


@needs_trainer
def test_a_base_that_broke_is_refused_at_once_and_in_the_queue(server, base, tmp_path):
    client = server.client()
    done = ended(client, start(client, model=str(base), method="lora", epochs=1))
    assert done.status == "succeeded", done.error
    weights = base / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(openai.BadRequestError, match="broken or cut short"):
        start(client, model=str(base))
    queued = job_folder(tmp_path / "queued", base=base)
    assert work(queued).returncode == 0
    assert queued.state["error"]["code"] == "model_unusable"
    assert "model.safetensors in base is broken" in queued.state["error"]["message"]


BREAK = """
import sys
from safetensors.torch import load_file, save_file
weights = load_file(sys.argv[1])
name = next(name for name in weights if "norm" in name)
weights[name][0] = float("inf")
save_file(weights, sys.argv[1], metadata={"format": "pt"})
"""


@needs_trainer
@pytest.mark.parametrize("method", ["full", "lora", "head"])
def test_a_loss_that_is_no_number_ends_the_job_and_makes_no_checkpoint(base, tmp_path, method):
    weights = str(base / "model.safetensors")
    subprocess.run([TRAINER, "-c", BREAK, weights], check=True, capture_output=True)
    job = job_folder(tmp_path / "job", base=base, method=method)
    assert work(job).returncode == 0
    assert job.state["error"]["code"] == "not_finite", job.state
    assert "smaller learning rate" in job.state["error"]["message"]
    assert not list(job.checkpoints_root.glob("*"))
    text = (job.path / "events.jsonl").read_text("utf-8")
    assert "NaN" not in text
    assert "Infinity" not in text


@needs_trainer
def test_a_conversation_that_the_template_refuses_is_listed_with_its_line(base, tmp_path):
    (base / "chat_template.jinja").write_text(
        "{% for m in messages %}{% if m['role'] == 'system' %}"
        "{{ raise_exception('no system messages') }}{% endif %}"
        "{{ '<|im_start|>' + m['role'] + ' ' + m['content'] + '<|im_end|>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant ' }}{% endif %}"
    )
    talk = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    told = [{"role": "system", "content": "be kind"}, *talk]
    lines = [{"messages": m} for m in (talk, told, talk, told)]
    data = io.BytesIO("".join(json.dumps(line) + "\n" for line in lines).encode())
    job = job_folder(tmp_path / "job", base=base, data=data)
    assert work(job).returncode == 0
    assert job.state["error"]["code"] == "invalid_training_file"
    (listed,) = [e["data"]["refused"] for e in job.events() if "refused" in e["data"]]
    assert [entry["line"] for entry in listed] == [2, 4]
    assert "no system messages" in listed[0]["reason"]
    assert not [e for e in job.events() if e["type"] == "metrics"]


def test_a_taken_port_is_said_and_another_is_free(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "curator.tune.local.server.serve", "--port", str(port)],
            env={**os.environ, "CURATOR_STATE": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert f"Port {port} cannot be used" in done.stderr
    assert not (tmp_path / "local-server.json").exists()


def test_a_proxy_of_the_surroundings_is_left_aside(tmp_path, monkeypatch):
    """Our own client reaches our own server, whatever proxy variables say."""
    from curator.tune.services.client import connect
    from curator.tune.services.probing import list_bases
    from curator.tune.targets.profiles import find_target

    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    state = tmp_path / "state"
    monkeypatch.setenv("CURATOR_STATE", str(state))
    running = Server(state)
    running.start()
    try:
        with connect(find_target("this-computer")) as connection:
            assert "tiny" in [base.name for base in list_bases(connection)]
    finally:
        running.stop()


def test_broken_files_of_one_job_or_upload_stop_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path))
    for name in ("ftjob-1", "ftjob-2"):
        write_json(local_root() / "jobs" / name / "spec.json", {"base": "tiny", "options": {}})
        write_json(local_root() / "jobs" / name / "state.json", {"status": "succeeded"})
    broken = local_root() / "jobs" / "ftjob-1" / "state.json"
    broken.write_text("{")
    assert not service.is_training()
    write_json(local_root() / "jobs" / "ftjob-2" / "state.json", {"status": "running"})
    assert service.is_training()
    uploads = UploadStore(local_root())
    told = {"bytes": 1, "filename": "a", "purpose": "fine-tune"}
    for content in ("[", "{}"):
        broken = uploads.folder(uploads.add(told, None)["id"]) / "meta.json"
        broken.write_text(content)
        assert uploads.add(told, None)["status"] == "pending"


def test_two_jobs_at_once_wait_in_line(tmp_path, monkeypatch):
    queue = Queue(tmp_path, sys.executable)
    sleepers = []

    def worker(*_, **__):
        code = "import time; time.sleep(60)"
        sleepers.append(real([sys.executable, "-c", code]))
        return sleepers[-1]

    real = subprocess.Popen
    monkeypatch.setattr("subprocess.Popen", worker)
    jobs = [queue.add(SPEC) for _ in range(2)]
    try:
        for _ in range(3):
            queue.tick()
        assert [job.state["status"] for job in jobs] == ["starting", "queued"]
        sleepers[0].kill()
        sleepers[0].wait(timeout=20)
        queue.tick()
        assert [job.state["status"] for job in jobs] == ["failed", "starting"]
    finally:
        for sleeper in sleepers:
            sleeper.kill()
            sleeper.wait(timeout=20)
