"""A wheel that is installed but cannot be loaded is not there: replies then come through torch."""

import sys

import pytest

from curator.tune.local.replies import llama_engine


@pytest.fixture(autouse=True)
def asked_anew():
    llama_engine.is_here.cache_clear()
    yield
    llama_engine.is_here.cache_clear()


def put(folder, monkeypatch, source):
    (folder / "xllamacpp.py").write_text(source)
    (folder / "jinja2.py").write_text("")  # comes with the wheel's extra, so not everywhere
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    for name in ("xllamacpp", "jinja2"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_library_of_the_system_is_missing(tmp_path, monkeypatch):
    """As on a bare machine: libgomp.so.1 comes with no wheel."""
    put(tmp_path, monkeypatch, "raise ImportError('libgomp.so.1: cannot open shared object file')")
    assert not llama_engine.is_here()


def test_what_can_be_loaded_is_there(tmp_path, monkeypatch):
    put(tmp_path, monkeypatch, "")
    assert llama_engine.is_here()
    assert "xllamacpp" not in sys.modules


def test_without_the_wheel_nobody_is_asked(monkeypatch):
    monkeypatch.setattr(llama_engine.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(llama_engine.subprocess, "run", None)
    assert not llama_engine.is_here()
