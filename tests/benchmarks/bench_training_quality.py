"""What each way of training brings: one table of before and after, by the stock client and real jobs.

CURATOR_DATA=... python -m tests.benchmarks.bench_training_quality [--base practice] [--only WAY]

A server of this computer with a state of its own trains 100 conversations of ten intents of banking77
(one demonstrated reply for each) and asks 40 questions that nobody trained on, before and after, at
temperature 0. Soft prompts, heads, preferences, plain text and words of their own go the same way.
At last the 40 questions are asked once more where llama.cpp is hidden, so that transformers replies.
About half an hour of one core; needs the trainer and the practice base (curator trainer --practice).
"""

import argparse
import csv
import json
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from curator.tune.evaluation.prompt_variants import Demonstration, PromptVariant
from curator.tune.local.bases.bases import PRACTICE
from curator.tune.local.job_folders import local_root
from tests.tune.local.conftest import Server, wait_for

REPLIES = {
    "card_arrival": "Cards take five working days; tap Track card to see where yours is.",
    "change_pin": "Choose Card, then PIN, and set a new one at any cash machine.",
    "lost_or_stolen_card": "I have frozen the card. A new one is on its way to you.",
    "exchange_rate": "We use the rate of the moment and add nothing to it.",
    "declined_card_payment": "Please check your balance and the card's limit, then try once more.",
    "top_up_failed": "The money went back to where it came from; please top up again tomorrow.",
    "terminate_account": "Empty the account first, then choose Settings and Close account.",
    "age_limit": "You must be eighteen; younger people can have a card of their parents.",
    "country_support": "We are in thirty countries; Settings, Countries lists them all.",
    "request_refund": "Ask the shop first; what it pays back reaches you within five days.",
}
WORDS = ("exchange rate", "top-up", "refund", "declined", "cash machine", "transfer")
TEXT = " ".join(REPLIES.values())
Rows = list[tuple[str, str]]


@dataclass
class Way:
    """One way of training: its base, options and data, and what counts before and after."""

    name: str
    base: str
    options: dict[str, Any] = field(default_factory=dict)
    data: str = "chats"
    measure: str = "exact"
    after: str = ""
    """The way whose checkpoint is the base, where it is not the base itself."""

    @property
    def command(self) -> str:
        """Return what does the same by hand."""
        sets = "".join(f" --set {key}={value}" for key, value in self.options.items())
        kind = " (a file of preferences)" if self.data == "preferences" else ""
        base = f"CHECKPOINT (of {self.after})" if self.after else self.base
        return f"`curator train out --target this-computer --base {base}{sets}`{kind}"


def ways(base: str) -> list[Way]:
    """Return all ways, those on the larger base first."""
    words = ",".join(WORDS)
    return [
        Way("LoRA", base, {"method": "lora"}),
        Way("preferences (DPO) after LoRA", base, {}, "preferences", "kept", "LoRA"),
        Way("QLoRA", base, {"method": "qlora", "four_bit_on_cpu": True}),
        Way("full", base, {"method": "full"}),
        Way("LoRA, words of their own", base, {"method": "lora", "added_tokens": words}),
        Way("frozen head", base, {"method": "head"}, "labels", "label"),
        Way("plain text", base, {"method": "pretrain"}, "text", "loss"),
        Way("preferences (DPO)", base, {}, "preferences", "preference"),
        Way("soft prompt", base, {"method": "prompt"}),
        Way("LoRA", "tiny", {"method": "lora"}, "few", "seen"),
        Way("full", "tiny", {"method": "full"}, "few", "seen"),
        Way("frozen head", "tiny", {"method": "head"}, "labels", "label"),
        Way("plain text", "tiny", {"method": "pretrain"}, "text", "loss"),
        Way("preferences (DPO) after full", "tiny", {}, "preferences", "kept", "full"),
    ]


def questions(data: Path, part: str, each: int) -> Rows:
    """Return the first questions of every intent with their label, intents in turn."""
    with (data / "classify" / f"banking77_{part}.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["text"].strip(), row["category"]) for row in csv.DictReader(file)]
    by_label = {label: [row for row in rows if row[1] == label][:each] for label in REPLIES}
    return [by_label[label][n] for n in range(each) for label in REPLIES]


def training_file(data: str, rows: Rows) -> bytes:
    """Return the lines a way learns from."""
    lines: list[dict[str, Any]] = []
    for text, label in rows[:24] if data == "few" else rows:
        asked = {"role": "user", "content": text}
        said = {"role": "assistant", "content": label if data == "labels" else REPLIES[label]}
        if data == "preferences":
            other = {"role": "assistant", "content": "I do not know, sorry."}
            lines.append({"input": {"messages": [asked]}, "preferred_output": [said],
                          "non_preferred_output": [other]})  # fmt: skip
        else:
            lines.append({"messages": [asked, said]})
    if data == "text":
        lines = [{"text": f"{text} {REPLIES[label]}"} for text, label in rows]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


class Bench:
    """A server, the stock client in strict mode, and the questions."""

    def __init__(self, state: Path, data: Path, seed: int = 7) -> None:
        self.state = state
        self.seed = seed
        self.train = questions(data, "train", 10)
        self.test = questions(data, "test", 4)
        self.server = Server(state)
        self.server.start()
        self.made: dict[tuple[str, str], str] = {}

    def job(self, way: Way) -> Any:
        """Train and return the finished job; raises SystemExit where it fails."""
        client = self.server.client()
        lines = training_file(way.data, self.train)
        stored = client.files.create(file=("train.jsonl", lines), purpose="fine-tune")
        kind: dict[str, Any] = {}
        if way.data == "preferences":
            asked = ("test.jsonl", training_file(way.data, self.test))
            held_out = client.files.create(file=asked, purpose="fine-tune")
            kind = {"method": {"type": "dpo"}, "validation_file": held_out.id}
        made = client.fine_tuning.jobs.create(
            model=self.made[way.base, way.after] if way.after else way.base,
            training_file=stored.id, seed=self.seed, suffix=way.data,
            metadata={"curator.options": json.dumps(way.options)}, **kind,
        )  # fmt: skip
        done = wait_for(
            lambda: client.fine_tuning.jobs.retrieve(made.id),
            lambda job: job.status in ("succeeded", "failed"),
            seconds=7200,
        )
        if done.error and done.error.message:
            raise SystemExit(f"{way.name} on {way.base}: {done.error.message}")
        self.made[way.base, way.name] = done.fine_tuned_model
        return done

    def replies(self, model: str, rows: Rows, variant: PromptVariant | None = None) -> list[str]:
        """Ask every question once and return what came."""
        client = self.server.client()
        found = []
        for text, _ in rows:
            asked: Any = ({"role": "user", "content": text},)
            messages: Any = list(variant.messages(asked) if variant else asked)
            answer = client.chat.completions.create(
                model=model, messages=messages, temperature=0, max_completion_tokens=48
            )
            found.append((answer.choices[0].message.content or "").strip())
        return found

    def exact(self, replies: list[str], rows: Rows) -> int:
        """Count the replies that are the demonstrated ones."""
        return sum(r == REPLIES[label] for r, (_, label) in zip(replies, rows, strict=True))

    def events(self, job: Any) -> list[Any]:
        """Return all events of a job, oldest first."""
        return list(self.server.client().fine_tuning.jobs.list_events(job.id, limit=100))[::-1]


def row(bench: Bench, way: Way, before: dict[str, int]) -> str:
    """Train one way and return its line of the table."""
    job = bench.job(way)
    events = bench.events(job)
    ended = next(e.message for e in reversed(events) if e.message.startswith("The job is done"))
    cpu, memory = re.findall(r"(\d+) seconds of CPU, ([\d.]+) GB", ended)[0]
    first, last = _figures(bench, way, job, events, before)
    took = next((e.message for e in events if "got a token of their own" in e.message), "")
    note = f"; {took}" if took else ""
    return (
        f"| {way.name} | {way.base} | {way.command} | {first} | {last}{note} | {cpu} | {memory} |"
    )


def _figures(
    bench: Bench, way: Way, job: Any, events: list[Any], before: dict[str, int]
) -> tuple[str, str]:
    points = [e.data for e in events if e.type == "metrics"]
    losses = f"loss {points[0]['train_loss']:.2f}", f"loss {points[-1]['train_loss']:.3f}"
    if way.measure == "loss":
        return losses
    turned = ""
    if way.measure in ("preference", "kept"):
        last = next(point for point in reversed(points) if "full_valid_loss" in point)
        turned = (
            f"{losses[1]}, of unseen pairs {last['full_valid_preference_accuracy']:.0%} in the right "
            f"order, margin {last['full_valid_preference_margin']:.1f}"
        )
    if way.measure == "preference":
        return losses[0], turned
    if way.measure == "kept":
        rows = bench.test if way.base != "tiny" else bench.train[:24]
        began, kept = (
            bench.exact(bench.replies(model, rows), rows)
            for model in (bench.made[way.base, way.after], job.fine_tuned_model)
        )
        return f"{began} of {len(rows)} exact, {losses[0]}", f"{kept} exact, {turned}"
    rows = bench.train[:24] if way.measure == "seen" else bench.test
    replies = bench.replies(job.fine_tuned_model, rows)
    if way.measure == "label":
        right = sum(r == label for r, (_, label) in zip(replies, rows, strict=True))
        return (
            f"chance {len(rows) // len(REPLIES)} of {len(rows)}",
            f"{right} of {len(rows)} labels",
        )
    where = "seen" if way.measure == "seen" else "unseen"
    if way.base not in before:
        before[way.base] = bench.exact(bench.replies(way.base, rows), rows)
    return (
        f"{before[way.base]} of {len(rows)} exact ({where}), {losses[0]}",
        f"{bench.exact(replies, rows)} of {len(rows)} exact, {losses[1]}",
    )


def variants(bench: Bench, base: str) -> list[str]:
    """Return the lines of tuning without weights, on the same questions."""
    pool = tuple(Demonstration(question=q, answer=REPLIES[label]) for q, label in bench.train)
    system = "You answer for a bank. Say one of these and nothing else: " + TEXT
    found = []
    for name, made in (
        ("system prompt", {"system": system}),
        ("4 demonstrations, nearest", {"shots": 4, "pick": "nearest", "pool": pool}),
        ("8 demonstrations, nearest", {"shots": 8, "pick": "nearest", "pool": pool}),
    ):
        variant = PromptVariant(name="v", target="this-computer", base=base, **made)
        right = bench.exact(bench.replies(base, bench.test, variant), bench.test)
        shots = f" --shots {variant.shots} --pick nearest --from out" if variant.shots else ""
        words = " --system ..." if variant.system else ""
        command = f"`curator prompts add v --target this-computer --base {base}{words}{shots}`"
        found.append(
            f"| {name} | {base} | {command} | | {right} of {len(bench.test)} exact | 0 | |"
        )
    return found


def engines(bench: Bench, job: Any) -> str:
    """Ask the test questions by llama.cpp and, hidden from it, by transformers; return what agrees."""
    names = (job.fine_tuned_model, job.model)
    quick = {name: bench.replies(name, bench.test) for name in names}
    bench.server.stop()
    bench.server = Server(bench.state, ("xllamacpp",))
    bench.server.start()
    slow = {name: bench.replies(name, bench.test) for name in names}
    lines = []
    for name, who in zip(names, ("tuned", "base"), strict=True):
        pairs = list(zip(quick[name], slow[name], strict=True))
        same = sum(a == b for a, b in pairs)
        lines.append(f"{who}: {same} of {len(pairs)} replies are the same by both engines")
        lines += [f"  llama.cpp: {a!r}\n  torch:     {b!r}" for a, b in pairs if a != b][:3]
        lines.append(f"  exact: {bench.exact(quick[name], bench.test)} by llama.cpp, "
                     f"{bench.exact(slow[name], bench.test)} by torch")  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    """Train all ways and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default=PRACTICE)
    parser.add_argument("--only", default="", help="the way whose name begins so")
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        state = Path(scratch) / "state"
        bases = state / "local" / "bases"
        bases.mkdir(parents=True)
        if chosen.base != "tiny":
            shutil.copytree(local_root() / "bases" / chosen.base, bases / chosen.base,
                            copy_function=os.symlink)  # fmt: skip
        bench = Bench(state, Path(os.environ["CURATOR_DATA"]), chosen.seed)
        before: dict[str, int] = {}
        print("| way | base | command | before | after | CPU seconds | GB at most |")
        print("|---|---|---|---|---|---|---|", flush=True)
        for way in ways(chosen.base):
            if way.name == "QLoRA" and find_spec("bitsandbytes") is None:
                print("QLoRA left out: the package bitsandbytes is not there", file=sys.stderr)
            elif way.name.startswith(chosen.only):
                print(row(bench, way, before), flush=True)
        if not chosen.only:
            print("\n".join(variants(bench, chosen.base)), flush=True)
            last = ways(chosen.base)[0]
            jobs = bench.server.client().fine_tuning.jobs.list(limit=100)
            first = list(jobs)[-1]
            print(f"\n{last.name} on {last.base}:\n{engines(bench, first)}")
        bench.server.stop()


if __name__ == "__main__":
    main()
