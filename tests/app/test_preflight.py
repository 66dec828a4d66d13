"""The preflight names what is missing before Qt can abort, and never imports Qt itself."""

import subprocess
import sys

import pytest

from curator.app import preflight
from curator.app.preflight import INSTALL, NO_SCREEN, find_trouble

OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}


def test_nothing_is_wrong_here():
    assert find_trouble(OFFSCREEN) is None


def test_every_missing_library_is_named_with_one_line_to_install_them(monkeypatch):
    missing = {"libGL.so.1", "libxcb-cursor.so.0", "libxkbcommon.so.0"}
    monkeypatch.setattr(preflight, "_loads", lambda name: name not in missing)
    trouble = find_trouble({"DISPLAY": ":0"})
    assert trouble is not None
    assert trouble.code == INSTALL
    assert all(name in trouble.text for name in missing)
    line = trouble.text.splitlines()[-1]
    assert "apt-get install -y --no-install-recommends libgl1 libxcb-cursor0 libxkbcommon0" in line


def test_offscreen_needs_no_x_libraries(monkeypatch):
    monkeypatch.setattr(preflight, "_loads", lambda name: "xcb" not in name)
    assert find_trouble(OFFSCREEN) is None


@pytest.mark.parametrize(("root", "start"), [(True, "apt-get"), (False, "sudo apt-get")])
def test_root_needs_no_sudo(root, start):
    assert preflight.install_line({"libGL.so.1": "libgl1"}, root=root).startswith(start)


def test_no_screen_is_told_apart(monkeypatch):
    monkeypatch.setattr(preflight, "_loads", lambda _name: True)
    trouble = find_trouble({})
    assert trouble is not None
    assert trouble.code == NO_SCREEN
    assert "DISPLAY" in trouble.text


def test_a_dead_display_is_found_before_qt_aborts(monkeypatch):
    monkeypatch.setattr(preflight, "_loads", lambda _name: True)
    trouble = find_trouble({"DISPLAY": ":987"})
    assert trouble is not None
    assert trouble.code == NO_SCREEN
    assert ":987" in trouble.text


def test_a_display_elsewhere_is_taken_on_trust(monkeypatch):
    monkeypatch.setattr(preflight, "_loads", lambda _name: True)
    assert find_trouble({"DISPLAY": "desk.example:0"}) is None


def test_wayland_wants_its_own_libraries():
    assert "libwayland-egl.so.1" in preflight.wanted_libraries({"WAYLAND_DISPLAY": "wayland-0"})
    assert "libxcb-cursor.so.0" in preflight.wanted_libraries({"DISPLAY": ":0"})


def test_it_does_not_import_qt():
    code = (
        "import sys, curator.app.preflight as p; p.find_trouble({'QT_QPA_PLATFORM': 'offscreen'});"
        "print(any(name.startswith('PySide6') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_without_a_screen_the_program_says_so_and_does_not_abort(tmp_path):
    environment = {"PATH": "", "HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "curator"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode in (INSTALL, NO_SCREEN)
    assert "Traceback" not in done.stderr
