"""Export against what the disk writes sequentially, in one run.

python tests/benchmarks/bench_export.py [--megabytes 200]

The project is filled by a real import of long English chat; the export writes, syncs, re-reads every
line with the strict checker and publishes. Before and after each export the disk writes as many bytes
past the page cache (O_DIRECT, where the system has it) and syncs: what it really does in one go.
"""

import argparse
import mmap
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(1, str(Path(__file__).resolve().parents[2]))

import chat_data

from curator.project.exports.exporting import export
from curator.project.exports.selection import ExportSettings
from curator.project.exports.verify import verify
from curator.project.imports.importing import import_files
from curator.project.store.project import Project

_BLOCK = 1 << 22
_ROUNDS = 5


def disk(path: Path, size: int) -> float:
    """Return the seconds that writing so many bytes past the page cache, and syncing, takes."""
    block = mmap.mmap(-1, _BLOCK)  # page-aligned, as O_DIRECT wants it
    block.write(os.urandom(_BLOCK))
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_DIRECT", 0)
    began = time.perf_counter()
    file = os.open(path, flags, 0o600)
    try:
        for _ in range(max(1, size // _BLOCK)):
            os.write(file, block)
        os.fsync(file)
    finally:
        os.close(file)
    spent = time.perf_counter() - began
    path.unlink()
    return spent


def main() -> None:
    """Import, export three times, verify, and print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-export-") as scratch:
        folder = Path(scratch)
        source = folder / "chat.jsonl"
        chat_data.write_long_english(source, options.megabytes)
        with Project.create(folder / "bench.curator") as project:
            report = import_files(
                project, [source], progress=lambda *_: None, cancelled=lambda: False
            )
            print(f"{report.imported:,} conversations, load {os.getloadavg()[0]:.1f}")
            size, shares = source.stat().st_size, []
            for _ in range(_ROUNDS):
                raw = disk(folder / "raw", size)
                began, burnt = time.perf_counter(), time.process_time()
                done = export(project, folder / "out", ExportSettings(skip_errors=True))
                spent = time.perf_counter() - began
                burnt = time.process_time() - burnt
                raw = (raw + disk(folder / "raw", size)) / 2
                size = sum(file.bytes for file in done.files)
                shares.append(raw / spent)
                print(f"export {size / spent / 1e6:7.0f} MB/s   disk {size / raw / 1e6:7.0f} MB/s   "
                      f"{raw / spent:.2f} of the disk   {size / burnt / 1e6:.0f} MB per CPU-second")  # fmt: skip
            print(f"{statistics.median(shares):.2f} of the disk in the median, 0.5 to reach")
        began = time.perf_counter()
        verify(folder / "out")
        spent = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"verify {size / spent / 1e6:7.0f} MB/s   peak {peak:,.0f} MB")


if __name__ == "__main__":
    main()
