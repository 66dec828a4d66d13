"""Build the bundle of this machine's system: a folder, and on Debian a package of it.

Run ``python packaging/build.py [--deb]`` in an environment that has PyInstaller. The folder is started
once afterwards: it must count tokens and take pictures of its pages without this checkout.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
DEPENDS = "libgl1, libegl1, libfontconfig1, fonts-dejavu-core | fonts-noto-core"


def main() -> int:
    """Build, try and, where asked for, pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deb", action="store_true", help="make a Debian package as well")
    options = parser.parse_args()
    build()
    try_out(DIST / "curator" / "curator")
    if options.deb:
        print(pack(DIST / "curator"))
    return 0


def build() -> None:
    """Run PyInstaller; a library that it cannot find would only be missed at the user's."""
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--distpath", str(DIST)]
    command += ["--workpath", str(ROOT / "build"), str(ROOT / "packaging" / "curator.spec")]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    lost = [
        line
        for line in done.stderr.splitlines()
        if "could not resolve" in line and "libqgtk3" not in line and "gtk" not in line
    ]
    if done.returncode != 0 or lost:
        sys.exit("\n".join(lost) or done.stderr[-4000:])


def try_out(program: Path) -> None:
    """Run every step on the sample with the built program, away from this checkout."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(
            [str(program), "demo", str(Path(scratch) / "demo"), "--no-training"],
            cwd=scratch,
            check=True,
        )


def pack(folder: Path) -> Path:
    """Make a Debian package of the folder."""
    version = subprocess.run(
        [str(folder / "curator"), "--version"], capture_output=True, encoding="utf-8", check=True
    ).stdout.split()[-1]
    tree = ROOT / "build" / "deb"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(folder, tree / "opt" / "curator", symlinks=True)
    linux = ROOT / "packaging" / "linux"
    name = "io.github.curator_desktop.Curator"
    places = {
        linux / f"{name}.desktop": "usr/share/applications",
        linux / f"{name}.metainfo.xml": "usr/share/metainfo",
        ROOT / "resources" / "icons" / "curator.svg": "usr/share/icons/hicolor/scalable/apps",
    }
    for source, place in places.items():
        target = tree / place
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target / (source.name if source.suffix != ".svg" else f"{name}.svg"))
    (tree / "usr" / "bin").mkdir(parents=True)
    (tree / "usr" / "bin" / "curator").symlink_to("../../opt/curator/curator")
    control = tree / "DEBIAN" / "control"
    control.parent.mkdir()
    control.write_text(
        f"Package: curator-desktop\nVersion: {version}\nArchitecture: amd64\nSection: science\n"
        f"Maintainer: The Curator authors\nDepends: {DEPENDS}\n"
        "Description: write, label, check and export fine-tuning conversations\n"
    )
    package = DIST / f"curator-desktop_{version}_amd64.deb"
    command = ["dpkg-deb", "--build", "--root-owner-group", "-Zzstd", str(tree), str(package)]
    subprocess.run(command, check=True)
    return package


if __name__ == "__main__":
    sys.exit(main())
