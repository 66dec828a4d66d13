"""Take the pictures of resources/screenshots: every page with the sample project, in both themes.

Run ``python packaging/screenshots.py [FOLDER]`` in the environment of ./dev, and look at them.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "screenshots"


def main() -> int:
    """Make the sample project by the story that everybody can run, and take the pictures of it."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    curator = [sys.executable, "-m", "curator"]
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([*curator, "demo", scratch, "--no-screenshots"], check=True)
        project = next(Path(scratch).glob("*.curator"))
        return subprocess.run(
            [*curator, "--screenshots", str(folder), str(project)], check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
