"""One job at a time: starts workers as processes of their own, and notices when one has died."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from curator.dataset.errors import BrokenFile
from curator.dataset.small_files import make_folder
from curator.tune.local import crash_reasons
from curator.tune.local.bases.environment import code_folder
from curator.tune.local.job_folders import FINISHED, JobFolder, local_root, new_id, write_json
from curator.tune.local.replies import llama_engine
from curator.tune.local.server.answers import ApiError
from curator.tune.local.server.processes import birth


class Queue:
    """The jobs of this computer, oldest first; at most one worker runs.

    trainer_python is the Python that has torch; without one nothing can be trained, and only what
    llama.cpp can take is asked, where this Python has it.
    """

    def __init__(self, root: Path | None = None, trainer_python: str | None = None) -> None:
        self.root = root or local_root()
        self.jobs_root = self.root / "jobs"
        make_folder(self.jobs_root)
        self.trainer_python = trainer_python
        self._started: dict[int, subprocess.Popen[bytes]] = {}

    def trainer(self) -> str:
        """Return the Python that has torch; raises ApiError where the trainer is not set up."""
        if self.trainer_python is None:
            raise ApiError(
                503,
                "The trainer is not set up on this computer; curator trainer --install does it.",
                code="trainer_missing",
            )
        return self.trainer_python

    def replier(self) -> str:
        """Return the Python that replies; raises ApiError where neither torch nor llama.cpp is."""
        if self.trainer_python is None and llama_engine.is_here():
            return sys.executable
        return self.trainer()

    def add(self, spec: dict[str, Any]) -> JobFolder:
        """Store a new job; it waits until tick finds nothing running."""
        job = JobFolder(self.jobs_root / self._next_id())
        job.path.mkdir()
        created = int(time.time())
        write_json(job.path / "spec.json", {**spec, "created_at": created})
        write_json(job.path / "state.json", {"status": "queued", "created_at": created})
        job.event("The job waits for its turn.")
        return job

    def _next_id(self) -> str:
        """Return an id behind all others, also where the clock was set back meanwhile."""
        last = max((path.parent.name for path in self.jobs_root.glob("*/state.json")), default="")
        fresh = new_id("ftjob")
        if fresh > last:
            return fresh
        stem = len("ftjob-") + 16
        return f"ftjob-{int(last[6:stem], 16) + 1:016x}{fresh[stem:]}"

    def all(self) -> list[JobFolder]:
        """Return all jobs that can be worked with, oldest first; broken names the others."""
        return [job for job in self._folders() if job.fault() is None]

    def broken(self) -> list[BrokenFile]:
        """Return what is wrong with the jobs whose own files are broken."""
        return [fault for job in self._folders() if (fault := job.fault()) is not None]

    def find(self, identifier: str) -> JobFolder | None:
        """Return the job with an id, or None; raises BrokenFile where its files are broken."""
        job = next((job for job in self._folders() if job.id == identifier), None)
        fault = job.fault() if job is not None else None
        if fault is not None:
            raise fault
        return job

    def _folders(self) -> list[JobFolder]:
        return [JobFolder(p.parent) for p in sorted(self.jobs_root.glob("*/state.json"))]

    def tick(self) -> None:
        """Bury dead workers and start the next waiting job; called once a second."""
        running = False
        for job in self.all():
            state = job.state
            if state["status"] not in ("running", "starting"):
                continue
            if self._is_alive(state):
                running = True
            else:
                self._bury(job)
        waiting = [job for job in self.all() if job.state["status"] == "queued"]
        if waiting and not running:
            self._start(waiting[0])

    def pause(self, job: JobFolder) -> None:
        """Ask a job to stop so that it can go on later."""
        if job.state["status"] == "queued":
            job.update(status="paused")
        else:
            job.send("pause")

    def resume(self, job: JobFolder) -> None:
        """Put a paused job, or one whose worker died, back in the queue."""
        job.send("")
        job.update(status="queued", error=None, finished_at=None)

    def cancel(self, job: JobFolder) -> None:
        """Stop a job for good."""
        if job.state["status"] in ("queued", "paused"):
            job.update(status="cancelled", finished_at=int(time.time()))
            job.event("Cancelled.")
        else:
            job.send("cancel")

    def environment(self) -> dict[str, str]:
        """Return the environment of a worker: this package on its path, one core left to the window."""
        home = str(code_folder())
        path = os.pathsep.join(filter(None, [home, os.environ.get("PYTHONPATH", "")]))
        return {
            **os.environ,
            "PYTHONPATH": path,
            # Spinning waits of two threads made the same run ten times slower.
            "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 2) - 1)),
            "OMP_WAIT_POLICY": "passive",
            "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "CURATOR_STATE": str(self.root.parent),
        }

    def _start(self, job: JobFolder) -> None:
        job.send("")
        command = [self.trainer(), "-m", "curator.tune.local.trainer.worker", str(job.path)]
        with (job.path / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started[process.pid] = process
        with contextlib.suppress(psutil.Error):
            psutil.Process(process.pid).nice(10)
        born, kills = birth(process.pid), crash_reasons.memory_kills()
        job.update(status="starting", pid=process.pid, born=born, memory_kills=kills)

    def _is_alive(self, state: dict[str, Any]) -> bool:
        pid = state.get("pid")
        if pid is None:
            return False
        child = self._started.get(pid)
        if child is not None and child.poll() is not None:
            return False
        # A process id is used again after a restart of the machine: the time of birth tells.
        born = birth(pid)
        return born is not None and born == state.get("born")

    def _bury(self, job: JobFolder) -> None:
        state = job.state
        if state["status"] in (*FINISHED, "paused"):
            return
        if crash_reasons.memory_kills() > state.get("memory_kills", 0):
            message, code, param = crash_reasons.out_of_memory(state.get("smaller") or "")
        else:
            message, code, param = (
                "The worker process ended unexpectedly; resume continues from the last epoch.",
                "worker_died",
                None,
            )
        job.fail(message, code, param)
