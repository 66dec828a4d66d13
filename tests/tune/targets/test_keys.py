"""Keys come from the environment or the key store, in bounded time, and show themselves nowhere."""

import copy
import pickle
import time

import pytest

from curator.dataset.errors import TargetError, WrongUse
from curator.tune.targets import keys
from curator.tune.targets.keys import Key, find_key, key_place, need_key, store_key
from curator.tune.targets.profiles import find_target, state_folder

SECRET = "sk-proj-Abcdefghijklmnop-0123456789"


class Store(keys.KeyStore):
    """A key store in memory."""

    kept: dict[tuple[str, str], str]

    def __init__(self):
        self.kept = {}

    def get_password(self, service, name):
        return self.kept.get((service, name))

    def set_password(self, service, name, secret):
        self.kept[service, name] = secret


@pytest.fixture
def openai():
    return find_target("openai")


@pytest.fixture
def store(monkeypatch):
    kept = Store()
    monkeypatch.setattr(keys, "_store", lambda: kept)
    return kept


def test_a_key_shows_itself_nowhere():
    key = Key(f" {SECRET}\n")
    shown = f"{key} {key!r} {[key]} { ({'k': key}) }"
    assert SECRET not in shown
    assert key.reveal() == SECRET
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        copy.copy(key)


@pytest.mark.parametrize("text", ["", "  ", "sk-a b", "sk-\u00e9", "sk-a\nb", "sk-\x00"])
def test_what_cannot_be_a_key_is_refused_without_showing_it(text):
    with pytest.raises(WrongUse) as caught:
        Key(text)
    assert "sk-" not in str(caught.value)


def test_a_key_is_hidden_in_a_servers_words():
    key = Key(SECRET)
    assert key.redactor.text(f"wrong: {SECRET}!") == "wrong: [key]!"
    assert SECRET[:12] not in key.redactor.text(f"wrong: {SECRET[:-4]}****")


def test_the_environment_goes_first(openai, store, monkeypatch):
    store.set_password("curator", "openai", "sk-from-store-000000")
    assert find_key(openai).reveal() == "sk-from-store-000000"
    assert key_place(openai) == "key store"
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    assert find_key(openai).reveal() == SECRET
    assert key_place(openai) == "environment"


def test_keys_are_kept(openai, store):
    store_key(openai, Key(SECRET))
    assert store.kept == {("curator", "openai"): SECRET}
    assert key_place(openai) == "key store"


def test_without_a_key_store_the_variable_is_named(openai):
    assert find_key(openai) is None
    with pytest.raises(TargetError, match="OPENAI_API_KEY"):
        need_key(openai)
    with pytest.raises(TargetError, match="OPENAI_API_KEY") as caught:
        store_key(openai, Key(SECRET))
    assert "no usable key store" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_store_that_swallows_keys_is_told(openai, store, monkeypatch):
    monkeypatch.setattr(store, "set_password", lambda *_: None)
    with pytest.raises(TargetError, match="did not keep"):
        store_key(openai, Key(SECRET))


def test_a_locked_store_is_not_waited_for(openai, store, monkeypatch):
    monkeypatch.setattr(store, "get_password", lambda *_: time.sleep(2))
    began = time.monotonic()
    assert find_key(openai, limit_s=0.05) is None
    with pytest.raises(TargetError, match="did not answer"):
        store_key(openai, Key(SECRET), limit_s=0.05)
    assert time.monotonic() - began < 1.0


def test_a_target_without_auth_needs_no_key(openai):
    free = openai.model_copy(update={"auth": "none"})
    assert need_key(free) is None
    assert key_place(free) == "not needed"


def test_this_computers_token_comes_from_its_file():
    state_folder().mkdir(parents=True)
    (state_folder() / "local-server.json").write_text('{"base_url": "http://127.0.0.1:1/v1"}')
    local = find_target("this-computer")
    assert find_key(local) is None
    (state_folder() / "local-server.token").write_text("tok-0123456789\n")
    assert find_key(local).reveal() == "tok-0123456789"
