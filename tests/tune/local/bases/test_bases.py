"""Bases of one's own: folders, GGUF files and the hub, and what is refused with its reason."""

import contextlib
import hashlib
import json
import os
import shutil
import struct
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from curator.dataset.errors import Cancelled, UnreadableInput, WrongUse
from curator.tune.local.bases import adding
from curator.tune.local.bases.base_folders import fault_of
from curator.tune.local.bases.bases import BaseUnusable, find_base, known_bases
from tests.tune.local.conftest import TRAINER, Server, needs_trainer, wait_for
from tests.tune.local.test_protocol import training_file

HOME = str(Path(__file__).parents[4])


def never():
    return False


def quiet(*_):
    return None


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("CURATOR_STATE", str(tmp_path / "state"))
    if TRAINER:
        monkeypatch.setenv("CURATOR_TRAINER_PYTHON", TRAINER)


def safetensors(path, numbers=8):
    header = {"w": {"dtype": "F32", "shape": [numbers], "data_offsets": [0, 4 * numbers]}}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(4 * numbers))


@pytest.fixture
def folder(tmp_path):
    """A folder that looks like a base from outside."""
    made = tmp_path / "mine"
    made.mkdir()
    (made / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (made / "tokenizer.json").write_text("{}")
    (made / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ messages }}"}))
    safetensors(made / "model.safetensors")
    return made


def drop(name):
    return lambda folder: (folder / name).unlink()


def write(name, text):
    return lambda folder: (folder / name).write_text(text)


def pickled(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def cut(folder):
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-3])


def adapter(folder):
    (folder / "config.json").rename(folder / "adapter_config.json")


INDEX = json.dumps({"weight_map": {"w": "model-00002-of-00002.safetensors"}})
BROKEN = [
    (drop("config.json"), "has no config.json"),
    (adapter, "holds an adapter"),
    (write("config.json", "{"), "config.json in mine is broken"),
    (write("config.json", "[]"), "config.json in mine is broken"),
    (write("config.json", "{}"), "does not say what kind"),
    (pickled, r"only as pickle \(pytorch_model.bin\)"),
    (drop("model.safetensors"), "has no weights"),
    (cut, "model.safetensors in mine is broken or cut short"),
    (write("model.safetensors", ""), "is broken or cut short"),
    (write("model.safetensors", "x" * 100), "is broken or cut short"),
    (write("model.safetensors.index.json", INDEX), "model-00002-of-00002.safetensors is missing"),
    (write("model.safetensors.index.json", "{"), "model.safetensors.index.json in mine is broken"),
    (drop("tokenizer.json"), "has no tokenizer"),
    (write("tokenizer_config.json", "{}"), "has no chat template"),
]


@pytest.mark.parametrize(("spoil", "words"), BROKEN)
def test_a_broken_folder_is_refused_with_its_reason(folder, spoil, words):
    spoil(folder)
    with pytest.raises(UnreadableInput, match=words):
        adding.add(str(folder), quiet, never)
    with pytest.raises(BaseUnusable, match=words):
        find_base(str(folder))
    assert [base.name for base in known_bases()] == ["tiny"]


def test_a_sound_folder_is_added_listed_and_removed(folder):
    assert fault_of(folder) == ""
    added = adding.add(str(folder), quiet, never, name="desk")
    assert find_base("desk") == added
    assert find_base(str(folder)).folder == folder
    with pytest.raises(WrongUse, match="already"):
        adding.add(str(folder), quiet, never, name="desk")
    for wrong in ("../up", "", "a b"):
        with pytest.raises(WrongUse):
            adding._free_place(wrong)
    shutil.rmtree(folder)
    with pytest.raises(BaseUnusable, match="There is no folder"):
        find_base("desk")
    adding.remove("desk")
    with pytest.raises(WrongUse, match="no added base"):
        adding.remove("tiny")


@needs_trainer
def test_an_added_base_is_served_and_taken_by_a_job(folder, tmp_path):
    adding.add(str(folder), quiet, never, name="desk")
    running = Server(tmp_path / "state")
    running.start()
    try:
        client = running.client()
        assert "desk" in {each.id for each in client.models.list()}
        stored = client.files.create(file=("t.jsonl", training_file()), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(model="desk", training_file=stored.id)
        assert job.model == "desk"
        # Sound from outside, and nothing inside: the worker says so.
        failed = wait_for(
            lambda: client.fine_tuning.jobs.retrieve(job.id), lambda j: j.status == "failed"
        )
        assert failed.error.code == "model_unusable", failed.error
    finally:
        running.stop()


def test_what_is_neither_folder_nor_file_nor_id_is_refused(tmp_path):
    with pytest.raises(WrongUse, match="no hub id"):
        adding.add("no such thing", quiet, never)
    text = tmp_path / "a.gguf"
    text.write_text("hello")
    with pytest.raises(UnreadableInput, match="is no GGUF file"):
        adding.add(str(text), quiet, never)


MAKE = """
import sys
from pathlib import Path
from curator.tune.local.bases.bases import make_tiny
import gguf, torch
from safetensors.torch import load_file
import json

folder, file, architecture = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
make_tiny(folder)
config = json.loads((folder / "config.json").read_text())
tokenizer = json.loads((folder / "tokenizer.json").read_text())
template = (folder / "chat_template.jinja").read_text()
writer = gguf.GGUFWriter(file, architecture)
writer.add_context_length(1024)
writer.add_embedding_length(64)
writer.add_block_count(2)
writer.add_feed_forward_length(160)
writer.add_head_count(4)
writer.add_head_count_kv(4)
writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
writer.add_rope_dimension_count(16)
writer.add_vocab_size(config["vocab_size"])
words = sorted(tokenizer["model"]["vocab"].items(), key=lambda pair: pair[1])
writer.add_tokenizer_model("gpt2")
writer.add_token_list([word for word, _ in words])
special = {t["content"] for t in tokenizer["added_tokens"]}
writer.add_token_types([3 if word in special else 1 for word, _ in words])
writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in tokenizer["model"]["merges"]])
writer.add_bos_token_id(config["bos_token_id"])
writer.add_eos_token_id(config["eos_token_id"])
writer.add_pad_token_id(config["pad_token_id"])
writer.add_chat_template(template)
def turned(w, heads=4):
    return w.reshape(heads, 2, w.shape[0] // heads // 2, w.shape[1]).swapaxes(1, 2).reshape(w.shape)
names = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
         "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
         "post_attention_layernorm": "ffn_norm"}
for name, w in load_file(folder / "model.safetensors").items():
    w = w.float().numpy()
    if name == "model.embed_tokens.weight":
        new = "token_embd.weight"
    elif name == "model.norm.weight":
        new = "output_norm.weight"
    else:
        _, _, layer, *middle, _ = name.split(".")
        part = names[".".join(middle)]
        new = f"blk.{layer}.{part}.weight"
        if part in ("attn_q", "attn_k"):
            w = turned(w)
    writer.add_tensor(new, w)
writer.write_header_to_file(); writer.write_kv_data_to_file(); writer.write_tensors_to_file()
writer.close()
"""


def make_file(tmp_path, architecture="llama"):
    origin, file = tmp_path / "origin", tmp_path / "small.gguf"
    subprocess.run(
        [TRAINER, "-c", MAKE, str(origin), str(file), architecture],
        env={**os.environ, "PYTHONPATH": HOME},
        check=True,
        capture_output=True,
    )
    return origin, file


SAME = """
import sys
from safetensors.torch import load_file
from transformers import AutoTokenizer
a, b = (load_file(f"{f}/model.safetensors") for f in sys.argv[1:])
assert set(a) == set(b), set(a) ^ set(b)
assert all(a[n].equal(b[n]) for n in a)
x, y = (AutoTokenizer.from_pretrained(f) for f in sys.argv[1:])
talk = [{"role": "user", "content": "Where is my card?"}]
text = [t.apply_chat_template(talk, add_generation_prompt=True, tokenize=False) for t in (x, y)]
assert text[0] == text[1], text
assert x(text[0])["input_ids"] == y(text[1])["input_ids"]
assert (x.bos_token, x.eos_token) == (y.bos_token, y.eos_token)
"""


@needs_trainer
@pytest.mark.slow
def test_a_gguf_file_becomes_a_base_once(tmp_path):
    origin, file = make_file(tmp_path)
    said = []
    added = adding.add(str(file), lambda *step: said.append(step), never)
    assert (added.name, find_base("small")) == ("small", added)
    assert [step[2] for step in said][-1] == "Done"
    compare = [TRAINER, "-c", SAME, str(origin), str(added.folder)]
    done = subprocess.run(compare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    # The file beside the weights is the very one that was given.
    assert (added.folder / "small.gguf").samefile(file)
    adding.remove("small")
    assert file.is_file()


@needs_trainer
@pytest.mark.slow
def test_a_gguf_file_of_another_kind_or_cut_short_is_refused(tmp_path):
    _, file = make_file(tmp_path, "gemma")
    with pytest.raises(UnreadableInput, match="is of the architecture gemma; only llama"):
        adding.add(str(file), quiet, never)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(UnreadableInput, match="no whole GGUF file"):
        adding.add(str(file), quiet, never)
    assert [p.name for p in (tmp_path / "state" / "local" / "bases").iterdir()] == []


SHA = "5" * 40


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as fetching needs: what a revision holds, and its files."""

    files = None

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, *, body):
        path = self.path.split("?")[0]
        if path.startswith("/api/models/me/small"):
            kept = [{"rfilename": n, "size": len(b)} for n, b in self.files.items()]
            data = json.dumps({"id": "me/small", "sha": SHA, "siblings": kept}).encode()
        else:
            name = path.rpartition(f"/resolve/{SHA}/")[2]
            if not path.startswith("/me/small/") or name not in self.files:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            data = self.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", SHA)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def hub(files):
    kind = type("Kind", (Hub,), {"files": files})
    serving = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{serving.server_address[1]}"
    finally:
        serving.shutdown()
        serving.server_close()
        thread.join()


@needs_trainer
def test_a_base_of_the_hub_comes_without_code_and_with_its_revision(folder, monkeypatch):
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    files |= {"modeling_evil.py": b"boom", "pytorch_model.bin": b"pickle", "README.md": b"hi"}
    with hub(files) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        added = adding.add("me/small", quiet, never)
    assert (added.name, added.revision) == ("me/small", SHA)
    kept = {path.name for path in added.folder.iterdir()}
    assert kept == set(files) - {"modeling_evil.py", "pytorch_model.bin"} | {"origin.json"}
    assert find_base("me/small") == added


@needs_trainer
@pytest.mark.parametrize(
    ("name", "words"),
    [("me/small", "no safetensors files"), ("me/other", "The hub has no me/other")],
)
def test_what_the_hub_lacks_is_said(monkeypatch, name, words):
    with hub({"config.json": b"{}", "pytorch_model.bin": b"pickle"}) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        with pytest.raises(UnreadableInput, match=words):
            adding.add(name, quiet, never)


@needs_trainer
def test_without_a_network_the_hub_is_said_to_be_out_of_reach(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UnreadableInput, match="The hub cannot be reached"):
        adding.add("me/small", quiet, never)
    assert len(known_bases()) == 1


@needs_trainer
def test_a_stopped_fetch_leaves_nothing(folder, monkeypatch):
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    with hub(files) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        with pytest.raises(Cancelled):
            adding.add("me/small", quiet, lambda: True)
    assert list((folder.parent / "state" / "local" / "bases").iterdir()) == []
