"""The process that workers are forked from may start before an import does."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from curator.project.imports.parts import pool, warm_up
from curator.project.imports.worker import PRELOAD

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="workers are forked under Linux only"
)

_EARLY = """
import multiprocessing.forkserver as server
from curator.project.imports.parts import warm_up
warm_up("o200k_base")
print(server._forkserver._forkserver_pid, flush=True)
"""


def test_an_import_takes_the_process_that_was_warmed_up():
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(warm_up, ["o200k_base"] * 4))
    from multiprocessing import forkserver

    server = forkserver._forkserver._forkserver_pid
    assert PRELOAD not in os.environ
    with pool("o200k_base") as executor:
        assert executor.submit(os.getppid).result(timeout=60) == server


def test_what_was_warmed_up_ends_with_the_program():
    done = subprocess.run(
        [sys.executable, "-c", _EARLY], capture_output=True, text=True, timeout=60, check=True
    )
    server = int(done.stdout)
    deadline = time.monotonic() + 60
    while _is_at_work(server) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_at_work(server)


def _is_at_work(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
