"""A label head on the frozen practice base against TF-IDF and a linear SVM: banking77, its real split.

CURATOR_DATA=... python tests/benchmarks/bench_head.py [--base practice] [--rows 0]

The whole product does the work: the rows are imported, exported, trained by a job of this computer
through its server, and every test question is asked through the chat endpoint. The baseline needs
scikit-learn, named by CURATOR_SKLEARN_PYTHON where it is not in this environment. About 20 minutes of
one core; --rows takes that many of each file instead.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

_BASELINE = """
import json, sys
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import classification_report
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
train, test = json.load(sys.stdin)
svm = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LinearSVC())
svm.fit([text for text, _ in train], [label for _, label in train])
print(json.dumps(svm.predict([text for text, _ in test]).tolist()))
"""


def rows_of(path: Path, most: int) -> list[tuple[str, str]]:
    """Return texts and labels, evenly taken where only some are wanted."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    return rows[:: max(1, len(rows) // most)] if most else rows


def macro(expected: list[str], found: list[str]) -> dict[str, float]:
    """Return accuracy and the macro averages of precision, recall and F1 over the expected labels."""
    right = Counter(e for e, f in zip(expected, found, strict=True) if e == f)
    wanted, given = Counter(expected), Counter(found)
    precision = [right[label] / given[label] if given[label] else 0.0 for label in wanted]
    recall = [right[label] / wanted[label] for label in wanted]
    f1 = [2 * p * r / (p + r) if p + r else 0.0 for p, r in zip(precision, recall, strict=True)]
    count = len(wanted)
    return {
        "accuracy": sum(right.values()) / len(expected),
        "precision": sum(precision) / count,
        "recall": sum(recall) / count,
        "f1": sum(f1) / count,
    }


def verb(*arguments: object) -> dict:
    """Run a verb of the command line and return its answer."""
    done = subprocess.run(
        [sys.executable, "-m", "curator", *map(str, arguments), "--json"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    answer = json.loads(done.stdout)
    if isinstance(answer.get("error"), dict):
        raise SystemExit(answer["error"]["message"])
    return answer


def head(
    train: list[tuple[str, str]], test: list[tuple[str, str]], base: str, scratch: Path
) -> list[str]:
    """Import, export and train the rows as a person would, then ask every test question."""
    source = scratch / "banking77.jsonl"
    with source.open("w", encoding="utf-8") as file:
        for text, label in train:
            asked = {"role": "user", "content": text}
            record = {"messages": [asked, {"role": "assistant", "content": label}]}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    project, folder = scratch / "banking77.curator", scratch / "out"
    verb("new", project)
    verb("import", project, source)
    verb("export", project, folder)
    began = time.perf_counter()
    where = ("--target", "this-computer", "--base", base)
    job = verb("train", folder, *where, "--set", "method=head", "--follow")
    print(
        f"job {job['status']} in {time.perf_counter() - began:.0f} s: {job['events'][-1]['message']}"
    )
    from curator.tune.services.client import connect
    from curator.tune.targets.profiles import find_target

    found = []
    with connect(find_target("this-computer")) as connection:
        for text, _ in test:
            found.append(_ask(connection, job["checkpoint"], text))
    return found


def _ask(connection, checkpoint: str, text: str) -> str:
    answer = connection.call(
        object,
        "answering",
        lambda sdk: sdk.chat.completions.create(
            model=checkpoint, messages=[{"role": "user", "content": text}]
        ),
        retries=3,
    )
    return answer.choices[0].message.content


def main() -> None:
    """Train both, print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="practice")
    parser.add_argument("--rows", type=int, default=0)
    options = parser.parse_args()
    data = Path(os.environ["CURATOR_DATA"]) / "classify"
    train = rows_of(data / "banking77_train.csv", options.rows)
    test = rows_of(data / "banking77_test.csv", options.rows)
    python = os.environ.get("CURATOR_SKLEARN_PYTHON", sys.executable)
    answer = subprocess.run(
        [python, "-c", _BASELINE], input=json.dumps([train, test]), stdout=subprocess.PIPE, text=True,
        check=True,
    )  # fmt: skip
    expected = [label for _, label in test]
    with tempfile.TemporaryDirectory() as folder:
        by_head = head(train, test, options.base, Path(folder))
    print(f"{len(train):,} rows to train, {len(test):,} to test, {len(set(expected))} labels")
    print("| | accuracy | macro precision | macro recall | macro F1 |\n|---|---|---|---|---|")
    for name, found in (
        ("TF-IDF + LinearSVC", json.loads(answer.stdout)),
        ("frozen head", by_head),
    ):
        shown = " | ".join(f"{value:.4f}" for value in macro(expected, found).values())
        print(f"| {name} | {shown} |")


if __name__ == "__main__":
    main()
