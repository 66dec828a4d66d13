"""The set-up of the trainer, by the real pip against a package index on loopback."""

import http.server
import os
import re
import subprocess
import sys
import threading

import pytest

from curator.cli.main import main
from curator.tune.local.bases import environment
from curator.tune.local.bases.environment import SetupPlan, TrainerUnavailable


class Index:
    """A plain index: pages of links, no metadata files; it remembers what was asked for."""

    def __init__(self, wheels):
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                name = self.path.strip("/")
                if name not in wheels:
                    self.send_error(404)
                    return
                links = "".join(f'<a href="/files/{w}">{w}</a>' for w in wheels[name])
                page = f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_):
                return

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server.server_port}/"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def index(monkeypatch):
    """Return what makes pip know only a loopback index that has the given files."""
    made = []

    def make(**wheels):
        made.append(Index(wheels))
        only(monkeypatch, made[-1].address)
        return made[-1]

    yield make
    for each in made:
        each.stop()


def only(monkeypatch, address):
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_INDEX_URL", address)
    monkeypatch.delenv("CURATOR_TORCH_INDEX", raising=False)


@pytest.fixture(autouse=True)
def linux_without_a_card(monkeypatch):
    monkeypatch.setattr(environment.platform, "system", lambda: "Linux")
    monkeypatch.setattr(environment, "has_card", lambda: False)
    monkeypatch.setattr(environment, "is_checkout", lambda: False)


def test_a_plain_index_is_asked_and_nothing_is_fetched(index):
    """Older pips fetch torch and all of CUDA to answer a dry run."""
    asked = index(torch=[f"torch-{environment.TORCH}-py3-none-any.whl"])
    with pytest.raises(TrainerUnavailable, match=r"No CPU build of torch .* CURATOR_TORCH_INDEX"):
        environment.plan()
    assert asked.asked
    assert not [path for path in asked.asked if path.startswith("/files/")]


def test_the_cpu_build_is_found(index):
    asked = index(torch=[f"torch-{environment.TORCH}%2Bcpu-py3-none-any.whl"])
    assert environment.plan() == SetupPlan("cpu", f"{environment.TORCH}+cpu", 300, 1250)
    assert not [path for path in asked.asked if path.startswith("/files/")]


class HangsUp(http.server.BaseHTTPRequestHandler):
    def handle(self):
        self.close_connection = True


@pytest.mark.parametrize("way", ["refused", "hangs up"])
def test_an_index_out_of_reach_is_one_sentence(index, way):
    gone = index(torch=[])
    if way == "refused":
        gone.stop()
    else:
        gone.server.RequestHandlerClass = HangsUp
    with pytest.raises(TrainerUnavailable) as failed:
        environment.plan()
    assert str(failed.value) == (
        "The package index cannot be reached. Check the network (and the proxy, where there is one), "
        "then try again."
    )


@pytest.mark.slow
def test_a_failed_set_up_leaves_nothing(index, monkeypatch, tmp_path):
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path))
    index(torch=[])
    with pytest.raises(TrainerUnavailable, match=r"have no torch==0.0.1 for this Python"):
        environment.install(SetupPlan("cpu", "0.0.1", 1, 1), lambda *_: None, lambda: False)
    assert not list(tmp_path.iterdir())


def test_chat_is_ready_only_where_it_loads(monkeypatch, tmp_path):
    """A wheel may be installed and miss a library of the system."""
    monkeypatch.setattr(environment, "_pip", lambda *_: None)
    for body, said in (
        ("", "Replies will come through llama.cpp"),
        ("raise ImportError('libgomp.so.1: cannot open')", "does not load .*libgomp.so.1"),
    ):
        (tmp_path / "xllamacpp.py").write_text(body)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        words = environment._add_chat(sys.executable, lambda: False)
        assert re.search(said, words)


def test_a_bundle_without_python_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TrainerUnavailable, match=r"brings no Python for the trainer.*python3-venv"):
        environment._make_environment(tmp_path / "venv")
    assert environment.trainer_python() is None


@pytest.mark.parametrize("json", [True, False])
def test_remove_deletes_the_environment_and_keeps_the_rest(monkeypatch, tmp_path, capsys, json):
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path))
    monkeypatch.setenv("CURATOR_TRAINER_PYTHON", sys.executable)
    (tmp_path / "trainer" / "bin").mkdir(parents=True)
    (tmp_path / "local" / "jobs").mkdir(parents=True)
    more = ["--json"] if json else []
    assert main(["trainer", "--remove", *more]) == 0
    assert str(tmp_path / "trainer") in capsys.readouterr().out
    assert not (tmp_path / "trainer").exists()
    assert (tmp_path / "local" / "jobs").is_dir()
    assert main(["trainer", "--remove", *more]) == 0
    assert not capsys.readouterr().err


def test_dev_says_in_a_sentence_that_the_index_is_out_of_reach(tmp_path):
    """The function of the script, run by the shell on what pip said."""
    script = (environment.Path(__file__).parents[4] / "dev").read_text()
    start = script.index("pip_reason()")
    function = script[start : script.index("\n}\n", start) + 3]
    log = tmp_path / "log"
    for said, reason in (
        ("Retrying ... Failed to establish a new connection: [Errno -2]", "cannot be reached"),
        ("Max retries exceeded ... CERTIFICATE_VERIFY_FAILED", "PIP_CERT"),
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("x\nERROR: No matching distribution found for msgspec", "No matching distribution found"),
    ):
        log.write_text(said)
        done = subprocess.run(
            ["sh", "-c", f"{function}\npip_reason {log}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert reason in done.stdout
        assert len(done.stdout.splitlines()) == 1
