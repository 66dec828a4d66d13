"""Import against OpenAI's published preparation script, in one run; see README.md here.

python tests/benchmarks/bench_import.py [--megabytes 100] [--only english|multilingual]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from threading import Event, Thread

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(1, str(Path(__file__).resolve().parents[2]))

import chat_data

ENCODING = "o200k_base"
DATA = {
    "english": chat_data.write_long_english,
    "multilingual": chat_data.write_short_multilingual,
}
PROMISED = {
    ("english", "count"): 15,
    ("english", "import"): 12,
    ("multilingual", "count"): 10,
    ("multilingual", "import"): 8,
}


def cookbook(path: Path) -> dict[str, float]:
    """Run the logic of Chat_finetuning_data_prep.ipynb: load, check, count; it stores nothing."""
    import tiktoken

    from curator.curate.analysis.encodings import VOCABULARIES, _tiktoken_encoding

    encoding = _tiktoken_encoding(VOCABULARIES[ENCODING].file)
    assert isinstance(encoding, tiktoken.Encoding)
    began, cpu = time.perf_counter(), tree_cpu()
    with path.open(encoding="utf-8") as file:
        dataset = [json.loads(line) for line in file]
    errors = _cookbook_checks(dataset)
    missing_system = missing_user = 0
    lengths, assistant = [], []
    for example in dataset:
        messages = example["messages"]
        if not any(message["role"] == "system" for message in messages):
            missing_system += 1
        if not any(message["role"] == "user" for message in messages):
            missing_user += 1
        tokens = 0
        for message in messages:
            tokens += 3
            for key, value in message.items():
                tokens += len(encoding.encode(value))
                if key == "name":
                    tokens += 1
        lengths.append(tokens + 3)
        assistant.append(
            sum(len(encoding.encode(m["content"])) for m in messages if m["role"] == "assistant")
        )
    seconds = time.perf_counter() - began
    assert not errors
    cpu = tree_cpu() - cpu
    return {"seconds": seconds, "cpu": cpu, "tokens": sum(lengths), "trained": sum(assistant)}


def _cookbook_checks(dataset: list) -> dict[str, int]:
    errors: dict[str, int] = defaultdict(int)
    known = ("role", "content", "name", "function_call", "weight")
    for example in dataset:
        if not isinstance(example, dict):
            errors["data_type"] += 1
            continue
        messages = example.get("messages", None)
        if not messages:
            errors["missing_messages_list"] += 1
            continue
        for message in messages:
            if "role" not in message or "content" not in message:
                errors["message_missing_key"] += 1
            if any(k not in known for k in message):
                errors["message_unrecognized_key"] += 1
            if message.get("role", None) not in ("system", "user", "assistant", "function"):
                errors["unrecognized_role"] += 1
            content = message.get("content", None)
            function_call = message.get("function_call", None)
            if (not content and not function_call) or not isinstance(content, str):
                errors["missing_content"] += 1
        if not any(message.get("role", None) == "assistant" for message in messages):
            errors["example_missing_assistant_message"] += 1
    return errors


def count_only(path: Path) -> dict[str, float]:
    """Validate, check and count in worker processes; store nothing."""
    from curator.formats.registry import sniff
    from curator.project.imports.parts import Parts, pool
    from curator.project.imports.worker import Terms, analyse_bytes

    terms = Terms(ENCODING, "openai_sft", 65_536)
    with pool(ENCODING) as executor:
        started = time.perf_counter()
        executor.submit(analyse_bytes, b"", terms).result()
        start_up = time.perf_counter() - started
        began, cpu = time.perf_counter(), tree_cpu()
        tokens = trained = 0
        for read in Parts(sniff(path), terms, executor):
            tokens += int(read.analysis.columns["tokens"].sum())
            trained += int(read.analysis.columns["trained_tokens"].sum())
        seconds, cpu = time.perf_counter() - began, tree_cpu() - cpu
    return {
        "seconds": seconds,
        "cpu": cpu,
        "tokens": tokens,
        "trained": trained,
        "start_up": start_up,
    }


def whole_import(path: Path) -> dict[str, float]:
    """Import into a new project, durably; the second time in this process, then measured cold too."""
    from curator.project import Project
    from curator.project.imports.importing import import_files

    folder = path.parent
    cold, _ = _import_seconds(Project, import_files, folder / f"{path.stem}-cold.curator", path)
    name = folder / f"{path.stem}-warm.curator"
    seconds, cpu = _import_seconds(Project, import_files, name, path)
    with Project.open(name) as project:
        tokens = int(project.column("tokens").sum())
        trained = int(project.column("trained_tokens").sum())
    return {"seconds": seconds, "cpu": cpu, "tokens": tokens, "trained": trained, "cold": cold}


def _import_seconds(
    project_type: type, import_files: object, name: Path, path: Path
) -> tuple[float, float]:
    with project_type.create(name) as project:
        began, cpu = time.perf_counter(), tree_cpu()
        import_files(project, [path], progress=lambda *_: None, cancelled=lambda: False)
        return time.perf_counter() - began, tree_cpu() - cpu


WORK = {"cookbook": cookbook, "count": count_only, "import": whole_import}


def tree_cpu() -> float:
    """Return the CPU seconds of this process and all below it, those that ended included."""
    total = 0
    for pid in _tree(os.getpid()):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15]))
    return total / os.sysconf("SC_CLK_TCK")


def measured(kind: str, path: Path) -> dict[str, float]:
    """Run one kind of work in a process of its own; add the peak memory of its tree."""
    command = [sys.executable, str(Path(__file__).resolve()), "--work", kind, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        stop = Event()
        peak = [0.0]
        watcher = Thread(target=_watch, args=(process.pid, stop, peak))
        watcher.start()
        out, _ = process.communicate()
        stop.set()
        watcher.join()
    if process.returncode:
        raise SystemExit(process.returncode)
    return {**json.loads(out), "peak_mb": peak[0]}


def _watch(root: int, stop: Event, peak: list[float]) -> None:
    while not stop.wait(0.2):
        total = 0.0
        for pid in _tree(root):
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                total += int(rollup.partition("Pss:")[2].split()[0]) / 1024
            except (OSError, IndexError):
                continue
        peak[0] = max(peak[0], total)


def _tree(root: int) -> list[int]:
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                queue += [int(child) for child in tasks.read_text().split()]
            except OSError:
                continue
    return found


def compare(name: str, folder: Path, megabytes: float) -> bool:
    """Print the figures of one kind of data; return whether token totals agree."""
    path = folder / f"{name}.jsonl"
    DATA[name](path, megabytes)
    size = path.stat().st_size / 1e6
    base = measured("cookbook", path)
    cores = os.cpu_count() or 1
    print(f"\n{name}: {size:.0f} MB, load {os.getloadavg()[0]:.1f}, {cores} cores")
    print("                         MB/s    wall    CPU-s  by CPU     peak")
    print(
        f"  {'published script':18}{size / base['seconds']:9.1f}    1.0x {base['cpu']:8.2f}    "
        f"1.0x {base['peak_mb']:5.0f} MB"
    )
    agree = True
    for kind in ("count", "import"):
        ours = measured(kind, path)
        agree &= (ours["tokens"], ours["trained"]) == (base["tokens"], base["trained"])
        wall = base["seconds"] / ours["seconds"]
        # What this many idle cores would give: on a machine with other work the wall clock lies.
        by_cpu = base["cpu"] / ours["cpu"] * cores
        print(
            f"  {kind:18}{size / ours['seconds']:9.1f} {wall:6.1f}x {ours['cpu']:8.2f} {by_cpu:6.1f}x "
            f"{ours['peak_mb']:5.0f} MB  to reach {PROMISED[name, kind]}x"
        )
        if "cold" in ours:
            print(
                f"  {'first in a process':18}{size / ours['cold']:9.1f} "
                f"{base['seconds'] / ours['cold']:6.1f}x   (starts workers, loads the vocabulary)"
            )
    print(f"  token totals {'equal' if agree else 'DIFFER'}: {base['tokens']:,}")
    return agree


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--only", choices=tuple(DATA))
    parser.add_argument("--work", nargs=2, metavar=("KIND", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        print(json.dumps(WORK[options.work[0]](Path(options.work[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        names = [options.only] if options.only else list(DATA)
        agree = [compare(name, Path(folder), options.megabytes) for name in names]
        if not all(agree):
            raise SystemExit("token totals differ")


if __name__ == "__main__":
    main()
