"""A real local server in a process of its own, and the stock client in strict mode."""

import importlib.util
import os
import subprocess
import sys
import time

import pytest

TRAINER = os.environ.get("CURATOR_TRAINER_PYTHON") or (
    sys.executable
    if importlib.util.find_spec("peft") and importlib.util.find_spec("torch")
    else None
)
needs_trainer = pytest.mark.skipif(
    TRAINER is None,
    reason="the trainer's packages (torch, transformers, peft) are not installed; see CURATOR_TRAINER_PYTHON",
)


TORCH = ("torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors", "gguf")


def hidden(folder, packages):
    """Return what to add to an environment so that its Pythons cannot import the packages."""
    if not packages:
        return {}
    place = folder / f"without-{'-'.join(packages)}"
    place.mkdir(exist_ok=True)
    (place / "sitecustomize.py").write_text(
        "import sys\n"
        "from importlib.machinery import PathFinder\n"
        "class Finder(PathFinder):\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, path=None, target=None):\n"
        f"        absent = name.partition('.')[0] in {tuple(packages)!r}\n"
        "        return None if absent else super().find_spec(name, path, target)\n"
        "sys.meta_path[:] = [Finder if f is PathFinder else f for f in sys.meta_path]\n"
    )
    path = os.pathsep.join(filter(None, [str(place), os.environ.get("PYTHONPATH", "")]))
    return {"PYTHONPATH": path, "CURATOR_TRAINER_PYTHON": ""}


class Server:
    """A running ``curator serve`` with its own state folder; without names packages it must not see."""

    def __init__(self, state, without=(), log=None):
        self.state = state
        self.log = log
        self.without = without
        self.process = None
        self.clients = []

    def start(self):
        environment = {
            **os.environ,
            "CURATOR_STATE": str(self.state),
            **hidden(self.state.parent, self.without),
        }
        command = [sys.executable, "-m", "curator.tune.local.server.serve"]
        if TRAINER and "torch" not in self.without:
            command += ["--trainer", TRAINER]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        self.base_url = self.process.stdout.readline().strip()
        self.token = (self.state / "local-server.token").read_text().strip()

    def stop(self):
        for client in self.clients:
            client.close()
        self.process.terminate()
        self.process.wait(timeout=20)
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=20)
        self.process.stdout.close()

    def client(self, *, strict=True, token=None):
        import openai

        client = openai.OpenAI(
            base_url=self.base_url,
            api_key=token or self.token,
            max_retries=0,
            http_client=openai.DefaultHttpxClient(trust_env=False),
            _strict_response_validation=strict,
        )
        self.clients.append(client)
        return client


@pytest.fixture
def server(tmp_path):
    running = Server(tmp_path / "state")
    running.start()
    yield running
    running.stop()


def wait_for(read, accept, seconds=100):
    """Poll until accept(read()) holds; fail after a while."""
    deadline = time.monotonic() + seconds
    while True:
        value = read()
        if accept(value):
            return value
        assert time.monotonic() < deadline, f"still {value}"
        time.sleep(0.2)
