"""Write resources/samples from the texts in packaging/sample; the same texts give the same bytes.

Run ``python packaging/make_sample.py`` after a change of a text, and look at the difference.
"""

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sample_defects import Defect, defects

from curator.curate.analysis.kernel import analyse
from curator.project.label_matching import CONTENT_HASH, hash_words

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "sample"
TARGET = HERE.parent / "resources" / "samples"

SYSTEM = {
    "bank": "You are the support desk of Harbour Bank. "
    "Answer briefly and kindly, in the customer's language.",
    "clinic": "You are the front desk of Lindenhof Clinic. "
    "Answer briefly and kindly, in the patient's language.",
    "review": "Name the sentiment: positive, neutral or negative.",
}
LABEL_SETS = ("desk", "intent", "sentiment", "language")


@dataclass
class Row:
    """One line of the sample: its bytes, its labels, and what is wrong with it."""

    line: bytes
    labels: dict[str, str] = field(default_factory=dict)
    rules: tuple[tuple[str, str], ...] = ()


def tool_definitions(names: list[str]) -> list[dict[str, Any]]:
    """Return the definitions of some tools, each in the one form the whole sample shares."""
    texts = json.loads((SOURCE / "tools.json").read_text("utf-8"))
    return [_definition(name, *texts[name]) for name in names]


def _definition(
    name: str, text: str, required: dict[str, str], optional: dict[str, str] | None = None
) -> dict[str, Any]:
    kinds = {**required, **(optional or {})}
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": text,
            "parameters": {
                "type": "object",
                "properties": {key: {"type": kind} for key, kind in kinds.items()},
                "required": list(required),
            },
        },
    }


def dump(value: Any) -> bytes:
    """Write one line as a person's export tool would."""
    return json.dumps(value, ensure_ascii=False).encode()


def _blocks(desk: str) -> Iterator[tuple[list[str], list[tuple[str, str]]]]:
    text = (SOURCE / f"{desk}.txt").read_text("utf-8")
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if lines:
            yield lines[0][2:].split(), [(line[0], line[2:]) for line in lines[1:]]


def _messages(desk: str, turns: list[tuple[str, str]]) -> tuple[list[dict[str, Any]], list[str]]:
    messages: list[dict[str, Any]] = [{"role": "system", "content": SYSTEM[desk]}]
    used: list[str] = []
    call_id = ""
    for number, (mark, text) in enumerate(turns):
        if mark == "U":
            messages.append({"role": "user", "content": text})
        elif mark == "A":
            messages.append({"role": "assistant", "content": text})
        elif mark == "W":
            messages.append({"role": "assistant", "content": text, "weight": 0})
        elif mark == "C":
            name, _, arguments = text.partition(" ")
            used += [] if name in used else [name]
            seed = f"{desk} {number} {turns[0][1]}".encode()
            call_id = "call_" + hashlib.sha256(seed).hexdigest()[:12]
            function = {"name": name, "arguments": arguments}
            calls = [{"id": call_id, "type": "function", "function": function}]
            messages.append({"role": "assistant", "tool_calls": calls})
        elif mark == "R":
            messages.append({"role": "tool", "tool_call_id": call_id, "content": text})
    return messages, used


def good_rows() -> list[Row]:
    """Return every faultless conversation with its labels."""
    rows = []
    for desk in ("bank", "clinic"):
        for (language, intent, sentiment), turns in _blocks(desk):
            messages, used = _messages(desk, turns)
            value: dict[str, Any] = {"messages": messages}
            if used:
                value["tools"] = tool_definitions(used)
            labels = dict(zip(LABEL_SETS, (desk, intent, sentiment, language), strict=True))
            rows.append(Row(dump(value), labels))
    for line in (SOURCE / "reviews.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            language, sentiment, text = line.split(" ", 2)
            roles = (("system", SYSTEM["review"]), ("user", text), ("assistant", sentiment))
            value = {"messages": [{"role": r, "content": c} for r, c in roles]}
            labels = dict(zip(LABEL_SETS, ("review", "review", sentiment, language), strict=True))
            rows.append(Row(dump(value), labels))
    return rows


def mixed(good: list[Row], bad: list[Defect]) -> list[Row]:
    """Shuffle the good rows and put a defect after every third one."""
    random.Random(20261121).shuffle(good)
    rows: list[Row] = []
    queue = [Row(d.line, d.labels, d.rules) for d in bad]
    for number, row in enumerate(good):
        rows.append(row)
        if number % 3 == 2 and queue:
            rows.append(queue.pop(0))
    return rows + queue


def hash_of(line: bytes) -> str:
    """Return the hash by which a label finds its text."""
    found = analyse([line], encoding="o200k_base", rules_profile="openai_sft", limit=None)
    return hash_words(int(found.columns["content_hash"][0]))


def main() -> None:
    """Write the conversations, their labels and the list of planted defects."""
    rows = mixed(good_rows(), defects(SYSTEM, tool_definitions))
    TARGET.mkdir(parents=True, exist_ok=True)
    (TARGET / "support_desk.jsonl").write_bytes(b"".join(row.line + b"\n" for row in rows))
    values = {
        name: list(dict.fromkeys(r.labels[name] for r in rows if name in r.labels))
        for name in LABEL_SETS
    }
    sets = [{"name": n, "kind": "choice", "values": sorted(v)} for n, v in values.items()]
    lines = [dump({"label_sets": sets})]
    lines += [
        dump({"source_line": number, CONTENT_HASH: hash_of(row.line), "labels": row.labels})
        for number, row in enumerate(rows, 1)
        if row.labels
    ]
    (TARGET / "support_desk.labels.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    table = ["line\trule\twhat"]
    for number, row in enumerate(rows, 1):
        table += [f"{number}\t{rule}\t{what}" for rule, what in row.rules]
    (TARGET / "DEFECTS.tsv").write_text("\n".join(table) + "\n", "utf-8")
    print(f"{len(rows)} lines, {len(table) - 1} planted defects, in {TARGET}")


if __name__ == "__main__":
    main()
