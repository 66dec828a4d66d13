import json
import os
import subprocess
import sys
import time

import pytest

from curator.dataset.errors import ProjectError
from curator.project import Project
from curator.project.queries.index import Index
from curator.project.store.bulk import Bulk
from curator.project.store.locking import LockHeld, WriterLock, holder_of, lock_path

HOLDER = """
import sys, time
from curator.project import Project
project = Project.open(sys.argv[1])
print("read only" if project.read_only else "open", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path):
    Project.create(tmp_path / "a.curator").close()
    return tmp_path / "a.curator"


def held_elsewhere(path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "open\n"
    return process


def test_a_lock_is_held_once_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "a.curator"
    lock = WriterLock(path)
    with pytest.raises(LockHeld, match=f"process {os.getpid()}"):
        WriterLock(path)
    lock.release()
    lock.release()
    assert not list(tmp_path.iterdir())
    WriterLock(path).release()


def test_another_process_makes_it_read_only_and_its_death_frees_it(path):
    process = held_elsewhere(path)
    try:
        with Project.open(path) as project:
            assert project.read_only
            assert f"process {process.pid}" in project.holder
            assert project.holder in project.read_only_reason
            with pytest.raises(ProjectError, match="Close it there"):
                Bulk(project)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert lock_path(path).exists()
    with Project.open(path) as project:
        assert not project.read_only
        assert project.read_only_reason == ""


def test_a_lock_file_of_nonsense_names_nobody(path):
    lock = WriterLock(path)
    lock_path(path).write_text("[]")
    with Project.open(path) as project:
        assert project.holder == "another program"
    lock.release()
    lock_path(path).write_text(json.dumps({"user": "eve"}))
    assert holder_of(lock_path(path)) == "another program"
    with Project.open(path) as project:
        assert not project.read_only


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(ProjectError, match="Choose a folder that exists"):
        Project.create(tmp_path / "gone" / "a.curator")


def test_a_file_another_program_writes_to_is_one_sentence(path):
    import apsw

    with Project.open(path) as project:
        other = apsw.Connection(str(path))
        other.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        with pytest.raises(ProjectError, match="Another program is writing"), project.writing():
            pass
        assert time.monotonic() - start < 5
        other.execute("ROLLBACK")
        other.close()
        with project.writing():
            pass


@pytest.fixture
def read_only_folder(path):
    """Make the folder of a project read-only, for root too where it may mount."""
    folder = path.parent
    if os.geteuid() != 0:
        folder.chmod(0o555)
        path.chmod(0o444)
        yield path
        folder.chmod(0o755)
        return
    mounts = [["mount", "--bind", str(folder), str(folder)]]
    mounts.append(["mount", "-o", "remount,ro,bind", str(folder)])
    if any(subprocess.run(each, capture_output=True, check=False).returncode for each in mounts):
        subprocess.run(["umount", str(folder)], capture_output=True, check=False)
        pytest.skip("root may write everywhere here and may not mount")
    yield path
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=True)


def test_a_read_only_folder_opens_for_reading_and_says_why(read_only_folder):
    with Project.open(read_only_folder) as project:
        assert project.read_only
        assert project.count() == 0
        with pytest.raises(ProjectError, match="folder is read-only"):
            Bulk(project)
        with project.reader() as reader:
            assert reader.count() == 0
        index = Index(project.path)
        assert len(index) == 0
        index.close()
    with pytest.raises(ProjectError, match="you may write to"):
        Project.create(read_only_folder.with_name("b.curator"))
