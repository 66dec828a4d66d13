"""What holds for every test: no screen, no settings of this person, no network, nothing left behind."""

import gc
import ipaddress
import itertools
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

_TESTS = itertools.count(1)
# Before anything imports Qt or reads a settings folder.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
_HOME = tempfile.TemporaryDirectory(prefix="curator-tests-")
for _name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
    os.environ[_name] = str(Path(_HOME.name) / _name.lower())
os.environ["CURATOR_CONFIG"] = str(Path(_HOME.name) / "config")
os.environ["CURATOR_STATE"] = str(Path(_HOME.name) / "state")
# Programs that tests start must find the checkout without being installed.
_ROOT = str(Path(__file__).resolve().parent.parent)
os.environ["PYTHONPATH"] = os.pathsep.join(
    path for path in (_ROOT, os.environ.get("PYTHONPATH", "")) if path
)


# No test depends on how fast the machine is: a loaded one draws and runs examples slowly.
hypothesis.settings.register_profile(
    "curator", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("curator")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that rewrites the expected files of tests/golden; git diff then reviews them."""
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Leave the figures of this part for the last line of ./dev test, which adds the parts up."""
    place = os.environ.get("CURATOR_TEST_TOTALS")
    if place and "PYTEST_XDIST_WORKER" not in os.environ:
        counts = [
            len(terminalreporter.getreports(kind))
            for kind in ("passed", "failed", "error", "skipped")
        ]
        with Path(place).open("a", encoding="ascii") as file:
            file.write(" ".join(map(str, counts)) + "\n")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that may take longest: one of them at the end would keep one core waiting."""

    def allowed(item: pytest.Item) -> float:
        mark = item.get_closest_marker("timeout")
        return float(mark.args[0]) if mark is not None and mark.args else 0.0

    items.sort(key=allowed, reverse=True)


@pytest.fixture(autouse=True, scope="session")
def _only_loopback() -> Iterator[None]:
    """Refuse every connection that would leave this computer."""
    plain = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            host = str(address[0])
            if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
                raise AssertionError(f"a test wanted to connect to {host}")
        plain(self, address)  # type: ignore[arg-type]

    socket.socket.connect = connect  # type: ignore[method-assign,assignment]
    yield
    socket.socket.connect = plain  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _no_widget_survives() -> Iterator[None]:
    """Let Qt delete what a test closed before the next one begins; late deletions crash at random.

    The collector runs here and in no other thread: it may throw away Qt objects, as in the app.
    """
    gc.disable()
    yield
    gc.collect(2 if next(_TESTS) % 100 == 0 else 1)
    widgets = sys.modules.get("PySide6.QtWidgets")
    if widgets is None or widgets.QApplication.instance() is None:
        return
    from PySide6.QtCore import QCoreApplication, QEvent

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture(scope="session")
def development_data() -> Path:
    """The folder of development data; tests that need it are skipped where it is not there."""
    folder = os.environ.get("CURATOR_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("CURATOR_DATA does not name the development data")
    return Path(folder)
