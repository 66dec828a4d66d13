"""What must be true before Qt may start, checked without Qt: it would end the process with SIGABRT.

Nothing here imports PySide6. Exit code 3: something must be installed; 4: there is no screen.
"""

import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

INSTALL, NO_SCREEN = 3, 4
"""The exit codes."""

_OFFSCREEN: Final = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libX11.so.6": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libbrotlidec.so.1": "libfontconfig1",
}
_XCB: Final = {
    "libX11-xcb.so.1": "libgl1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-cursor0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libgl1",
    "libxcb-render.so.0": "libxcb-cursor0",
    "libxcb-render-util.so.0": "libxcb-cursor0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libgl1",
    "libxcb-sync.so.1": "libgl1",
    "libxcb-xfixes.so.0": "libgl1",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb-glx.so.0": "libgl1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
_WAYLAND: Final = {
    "libwayland-client.so.0": "libwayland-cursor0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}


class Trouble(NamedTuple):
    """Why the window cannot come up: the exit code, and the lines to print."""

    code: int
    text: str


def find_trouble(
    environment: Mapping[str, str] = os.environ, platform: str = sys.platform
) -> Trouble | None:
    """Return what stands in the way, gravest first, or None."""
    return (
        _bad_pair()
        or (_missing_libraries(environment) if platform.startswith("linux") else None)
        or _no_screen(environment, platform)
        or _no_font()
    )


def wanted_libraries(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the libraries that Qt needs here, and the Debian package of each."""
    plugin = environment.get("QT_QPA_PLATFORM", "").split(":")[0]
    wanted = dict(_OFFSCREEN)
    if plugin in ("offscreen", "minimal"):
        return wanted
    if plugin == "wayland" or (not plugin and environment.get("WAYLAND_DISPLAY")):
        return wanted | _WAYLAND
    return wanted | _XCB


def missing_libraries(wanted: Mapping[str, str]) -> dict[str, str]:
    """Return those that cannot be loaded."""
    return {name: package for name, package in wanted.items() if not _loads(name)}


def install_line(packages: Mapping[str, str], *, root: bool) -> str:
    """Return the one command that installs the packages."""
    names = " ".join(sorted(set(packages.values())))
    sudo = "" if root else "sudo "
    return f"{sudo}apt-get install -y --no-install-recommends {names}"


def _bad_pair() -> Trouble | None:
    if sys.version_info < (3, 11):  # noqa: UP036 - a checkout can be started by any Python
        found = ".".join(map(str, sys.version_info[:3]))
        return Trouble(INSTALL, f"Curator needs Python 3.11 or newer; this is {found}.")
    if importlib.util.find_spec("PySide6") is None:
        return Trouble(
            INSTALL,
            "PySide6 is not installed. In a checkout, ./dev run installs all that is needed.",
        )
    version = _qt_version() if sys.version_info < (3, 12) else ""
    if version.startswith("6.12."):
        return Trouble(
            INSTALL,
            f"PySide6 {version} loses references on Python before 3.12 and ends the process.\n"
            "Install an older one, or use Python 3.12:\n"
            "    python -m pip install 'PySide6-Essentials>=6.11.2,<6.12'",
        )
    return None


def _qt_version() -> str:
    """Return PySide6's version from the folder name of its record; importlib.metadata takes 30 ms."""
    spec = importlib.util.find_spec("PySide6")
    if spec is None or spec.origin is None:
        return ""
    site = Path(spec.origin).parent.parent
    for name in os.listdir(site):  # noqa: PTH208 - a Path for each of some hundred names takes a millisecond
        if name.lower().startswith(("pyside6_essentials-", "pyside6-")) and ".dist-info" in name:
            return name.split("-")[1].removesuffix(".dist")
    return ""


def _missing_libraries(environment: Mapping[str, str]) -> Trouble | None:
    missing = missing_libraries(wanted_libraries(environment))
    if not missing:
        return None
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return Trouble(
        INSTALL,
        f"missing: {' '.join(missing)}\n"
        "Qt needs system libraries that are not installed. Run this once, then try again:\n"
        f"    {install_line(missing, root=root)}",
    )


def _no_screen(environment: Mapping[str, str], platform: str) -> Trouble | None:
    if not platform.startswith("linux") or environment.get("QT_QPA_PLATFORM"):
        return None
    if environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"):
        return None if _display_answers(environment) else Trouble(NO_SCREEN, _dead(environment))
    return Trouble(
        NO_SCREEN,
        "No screen: DISPLAY and WAYLAND_DISPLAY are not set. The commands work without one\n"
        "(curator --help); QT_QPA_PLATFORM=offscreen runs the window unseen.",
    )


def _dead(environment: Mapping[str, str]) -> str:
    name = environment.get("WAYLAND_DISPLAY") or environment.get("DISPLAY", "")
    return (
        f"No screen: the display {name} does not answer. Start it, or unset the variable;\n"
        "QT_QPA_PLATFORM=offscreen runs the window unseen."
    )


def _display_answers(environment: Mapping[str, str]) -> bool:
    """Whether a local display's socket is there; a display on another machine is taken on trust."""
    wayland = environment.get("WAYLAND_DISPLAY", "")
    if wayland:
        folder = environment.get("XDG_RUNTIME_DIR", "")
        if Path(folder, wayland).exists():
            return True
    display = environment.get("DISPLAY", "")
    if not display:
        return False
    host, _, number = display.rpartition(":")
    if host not in ("", "unix"):
        return True
    number = number.split(".")[0]
    if Path(f"/tmp/.X11-unix/X{number}").exists():
        return True
    sockets = Path("/proc/net/unix")
    return not sockets.exists() or f"@/tmp/.X11-unix/X{number}\n" in sockets.read_text("utf-8")


def _no_font() -> Trouble | None:
    from curator.dataset.resources import resource

    if resource("fonts", "Inter-Regular.otf").is_file():
        return None
    return Trouble(INSTALL, "The shipped fonts are missing. Install Curator again.")


def _loads(name: str) -> bool:
    # What ctypes.CDLL calls; ctypes itself takes longer to import than this to load them all.
    from _ctypes import dlopen

    try:
        dlopen(name, os.RTLD_NOW)
    except OSError:
        return False
    return True
