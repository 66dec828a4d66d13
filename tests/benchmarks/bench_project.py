"""How fast a project of many conversations is: opening, filters, sorts, search, edits, memory.

Run: ``python -m tests.benchmarks.bench_project [ROWS] [FOLDER]`` (1,000,000 rows by default). The rows
are generated, about 350 bytes each; the figures to reach stand beside what was measured.
"""

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np

from curator.curate.search.query import parse_query
from curator.dataset import AnnotationPatch, ContentPatch, Conversation, Edit, Finding, Place
from curator.project import Index, Project
from curator.project.queries.filters import view
from curator.project.queries.search import find_texts, index_texts
from curator.project.store.bulk import Bulk

SEGMENT_ROWS = 2_000


def sentences(count: int, chance: random.Random) -> list[str]:
    """Make sentences of words whose frequency falls as in real text."""
    words = [f"{a}{b}{c}" for a in ("ba", "ro", "ti", "ke", "mu") for b in ("lan", "so", "vek", "ri")
             for c in ("", "t", "nor", "sal", "de", "pim", "go", "xa")]  # fmt: skip
    words = [
        "the",
        "of",
        "and",
        "card",
        "refund",
        "account",
        *words,
        *(f"w{n}" for n in range(5000)),
    ]
    weights = [1 / (rank + 1) for rank in range(len(words))]
    return [" ".join(chance.choices(words, weights, k=14)) for _ in range(count)]


def fill(path: Path, rows: int) -> float:
    """Write a project of generated rows; returns the seconds that storing took."""
    chance = random.Random(7)
    stock = sentences(20_000, chance)
    numbers = np.random.default_rng(7)
    storing = 0.0
    with Project.create(path, author="bench") as project:
        with Bulk(project) as bulk:
            source = bulk.add_source("/bench.jsonl", "bench.jsonl")
            for first in range(0, rows, SEGMENT_ROWS):
                count = min(SEGMENT_ROWS, rows - first)
                picks = [chance.randrange(20_000) for _ in range(2 * count)]
                titles = [f"{stock[a][:60]} {first + n}" for n, a in enumerate(picks[:count])]
                lines = [
                    f'{{"messages":[{{"role":"user","content":"{titles[n]} {stock[picks[n]]}"}},'
                    f'{{"role":"assistant","content":"{stock[picks[count + n]]} token{first + n}"}}]}}'
                    for n in range(count)
                ]
                raw = [line.encode() for line in lines]
                length = np.array([len(line) for line in raw])
                hashes = numbers.integers(-(2**63), 2**63, size=(4, count), dtype=np.int64)
                warnings = numbers.integers(0, 30, count) == 0
                columns = {
                    "start": np.cumsum(length + 1) - length - 1,
                    "length": length,
                    "source_line": np.arange(first + 1, first + count + 1),
                    "tokens": numbers.integers(20, 4000, count),
                    "trained_tokens": numbers.integers(5, 900, count),
                    "tokens_exact": np.ones(count, int),
                    "n_messages": numbers.integers(2, 12, count),
                    "n_turns": numbers.integers(1, 6, count),
                    "errors": np.zeros(count, int),
                    "warnings": warnings.astype(int),
                    "flags": numbers.integers(0, 16, count),
                    "content_hash": hashes[0],
                    "prompt_hash": hashes[1],
                    "system_hash": hashes[2],
                    "beginnings": [row.tobytes() for row in hashes[0]],
                    "import_hash": hashes[3],
                    "title": titles,
                }
                found = [
                    (int(row), Finding("T07", "warning", "It is long.", Place(0, "content")))
                    for row in np.flatnonzero(warnings)
                ]
                segment = b"\n".join(raw)
                start = time.perf_counter()
                bulk.add(segment, columns, source=source, findings=found)
                storing += time.perf_counter() - start
            start = time.perf_counter()
        storing += time.perf_counter() - start
    return storing


def timed(name: str, goal: str, work: Callable[[], object], times: int = 1) -> object:
    """Run work, print its median time beside the goal, return its last result."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        result = work()
        taken.append(time.perf_counter() - start)
    print(f"{name:<46} {sorted(taken)[len(taken) // 2] * 1000:9.1f} ms   goal {goal}", flush=True)
    return result


def memory() -> float:
    """Return the peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(path: Path) -> None:
    """Print the figures of a filled project."""
    print(f"load of the machine (1, 5, 15 minutes): {os.getloadavg()}")
    project = timed(
        "open the project", "2,000 with the next", lambda: Project.open(path, author="b")
    )
    assert isinstance(project, Project)
    index = Index(project.path)
    start = time.perf_counter()
    index = Index(project.path)
    print(f"{'load the index':<46} {(time.perf_counter() - start) * 1000:9.1f} ms   goal 2,000")
    rows = len(index)
    for text in (
        "tokens:>2000",
        "warnings:>0 tokens:100..900",
        "status:pending has:tools",
        "rule:T07",
    ):
        timed(f"filter {text}", "200", lambda text=text: view(index, parse_query(text)), 5)
    start = time.perf_counter()
    index.ensure_title_rank(project)
    print(
        f"{'rank the titles (background, once)':<46} {(time.perf_counter() - start) * 1000:9.1f} ms"
    )
    for sort in ("tokens", "-tokens", "updated", "status", "title", "warnings", "content_hash"):
        index._orders.clear()
        name, down = sort.lstrip("-"), sort.startswith("-")
        timed(f"sort by {sort}", "200", lambda n=name, d=down: view(index, sort=n, descending=d))
    by_title = view(index, sort="title")
    page = index.ids[by_title[rows // 2 : rows // 2 + 100]].tolist()
    timed("a page of 100: titles", "16", lambda: project.titles(page), 9)
    timed("a page of 100: contents", "16", lambda: project.contents(page), 9)
    timed("rail counts", "16", index.counts, 9)
    timed("load what the first edit needs (background)", "1,000", project.warm_up)
    edits = []
    id_ = rows // 2
    for n in range(30):
        before = project.content(id_)
        conversation = Conversation.parse(before)
        messages = list(conversation.messages)
        messages[1] = messages[1].replace(content=f"an answer of the right length {n}")
        after = conversation.replace(messages=[m.fields for m in messages]).to_json()
        start = time.perf_counter()
        changes = project.apply(Edit("Type", "b", (ContentPatch(id_, before, after),), "typing"))
        edits.append(time.perf_counter() - start)
    edits.sort()
    print(f"{'a durable edit (median, worst of 30)':<46} {edits[15] * 1e3:9.1f} ms   goal 10"
          f" (worst {edits[-1] * 1e3:.1f})")  # fmt: skip
    timed("take the edit into the index", "8", lambda: index.refresh(project, changes), 5)
    many = tuple(range(1, min(200_000, rows) + 1))
    patch = AnnotationPatch("status", many, ("pending",), ("accepted",))
    changes = timed(
        "accept 200,000 rows", "500", lambda: project.apply(Edit("Accept", "b", (patch,)))
    )
    timed("take them into the index", "500", lambda: index.refresh(project, changes))
    timed("undo 200,000 rows", "500", project.undo)
    timed("redo 200,000 rows", "500", project.redo)
    project.undo()
    search(project, index)
    print(f"{'peak memory of this process':<46} {memory():9.0f} MB   goal 1,000")
    project.close()


def search(project: Project, index: Index) -> None:
    """Print the figures of text search, building the word index first where that is due."""
    start = time.perf_counter()
    added = index_texts(project, lambda *_: None, lambda: False)
    if added:
        print(f"{'build the word index (background)':<46} "
              f"{added / (time.perf_counter() - start):9.0f} conversations/s")  # fmt: skip
    for text in ("token4711", "refund", '"of the"', "the", "refund -card", "ref", r"/token47\d+1/"):
        query = parse_query(text)
        start = time.perf_counter()
        next(find_texts(project, query))
        first = time.perf_counter() - start
        start = time.perf_counter()
        hits = np.concatenate(list(islice(find_texts(project, query), 50)))
        every = time.perf_counter() - start
        start = time.perf_counter()
        view(index, query, hits=hits)
        viewed = time.perf_counter() - start
        print(f"{'search ' + text:<46} {first * 1e3:9.1f} ms   goal 200 for the first hits; "
              f"{len(hits)} hits in {every * 1e3:.0f} ms, view {viewed * 1e3:.0f} ms")  # fmt: skip


def main() -> None:
    """Fill a project in one process, measure it in a fresh one."""
    if sys.argv[1:2] == ["measure"]:
        measure(Path(sys.argv[2]))
        return
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"bench-{rows}.curator"
    if not path.exists():
        seconds = fill(path, rows)
        print(
            f"{'store the rows':<46} {rows / seconds:9.0f} rows/s, {path.stat().st_size / 1e6:.0f} MB"
        )
    subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_project", "measure", str(path)], check=True
    )


if __name__ == "__main__":
    main()
