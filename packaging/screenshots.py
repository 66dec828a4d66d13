"""Take the pictures of resources/screenshots: every page in the middle of work, in both themes.

Run ``python packaging/screenshots.py [FOLDER]`` in the environment of ./dev, and look at them.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from curator.project import duplicate_tables, duplicates
from curator.project.store.project import Project

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "resources" / "samples"


def curator(*arguments: object, folder: Path) -> None:
    """Run a verb; findings are no reason to stop."""
    done = subprocess.run(
        [sys.executable, "-m", "curator", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CURATOR_STATE": str(folder / "state")},
        check=False,
    )
    if done.returncode > 1:
        sys.exit(done.returncode)


def make_project(folder: Path) -> Path:
    """Make the sample project as it looks after an hour: a third decided, duplicates found, split."""
    project = folder / "support-desk.curator"
    curator("new", project.name, folder=folder)
    curator("import", project.name, SAMPLES / "support_desk.jsonl", folder=folder)
    curator("label", project.name, "import", SAMPLES / "support_desk.labels.jsonl", folder=folder)
    accept = ("status", "accepted", "--where", "errors:0 warnings:0 id:<70")
    curator("label", project.name, *accept, folder=folder)
    curator("label", project.name, "status", "rejected", "--where", "rule:S09", folder=folder)
    curator("label", project.name, "tag", "handbook", "--where", "label:intent=fees", folder=folder)
    curator("split", project.name, "--stratify", "intent", folder=folder)
    curator("export", project.name, "training-files", folder=folder)
    with Project.open(project) as opened:
        found = duplicates.find(opened, duplicates.Search("near", 0.8))
        duplicate_tables.keep(opened, found)
    return project


def main() -> int:
    """Take all pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "resources" / "screenshots"
    with tempfile.TemporaryDirectory(prefix="harbour-bank-") as scratch:
        project = make_project(Path(scratch))
        curator("--screenshots", folder.absolute(), project.name, folder=Path(scratch))
    return 0


if __name__ == "__main__":
    sys.exit(main())
