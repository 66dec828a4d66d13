"""Servers on loopback answer at once: what waits for them in tests need not wait as for a real service."""

import pytest

from curator.tune.jobs import following, watching
from curator.tune.jobs.uploads import USUAL_PACE

_QUICK = {"file_polls": (0.02,), "lookups": (0.0, 0.02), "retry": 0.02}


@pytest.fixture(autouse=True)
def quick_services(monkeypatch):
    """Shorten every pause between two questions to a service; how often and what is asked stays."""
    usual = {name: getattr(USUAL_PACE, name) for name in _QUICK}
    for name, value in _QUICK.items():
        object.__setattr__(USUAL_PACE, name, value)
    monkeypatch.setattr(following, "next_wait", lambda *_: 0.02)
    monkeypatch.setitem(watching.watch.__kwdefaults__, "wait", lambda *_: 0.02)
    monkeypatch.setattr(watching, "_LOOK_S", 0.02)
    yield
    for name, value in usual.items():
        object.__setattr__(USUAL_PACE, name, value)
