"""Near duplicates: the exact join against brute force and, where installed, datasketch's MinHash LSH.

python tests/benchmarks/bench_duplicates.py [--documents 20000] [--threshold 0.8]

Documents of about 1 kB from real sentences, every tenth a copy of another with some words changed.
Brute force compares a sample with Python sets and is scaled by the square of the sizes; datasketch is
an outside library that is no dependency (``pip install datasketch``), here with 128 permutations.
"""

import argparse
import os
import random
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(1, str(Path(__file__).resolve().parents[2]))

import chat_data

from curator.curate.duplicates.clusters import find_near
from curator.curate.duplicates.compared_text import Compared
from curator.curate.duplicates.words import words

SAMPLE = 1_500
BYTES = 1_000


def documents(number: int) -> list[str]:
    """Make the documents, the same ones every time."""
    draw = random.Random(7)
    sentences = chat_data.english_sentences()
    vocabulary = " ".join(sentences[:2_000]).split()
    made: list[list[str]] = []
    for place in range(number):
        if place % 10 == 9:
            copy = list(draw.choice(made))
            for _ in range(draw.randint(0, len(copy) // 12)):
                copy[draw.randrange(len(copy))] = draw.choice(vocabulary)
            made.append(copy)
            continue
        text: list[str] = []
        while sum(map(len, text)) + len(text) < BYTES:
            text += draw.choice(sentences).split()
        made.append(text)
    return [" ".join(text) for text in made]


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Return the shingles by their definition."""
    tokens = words(text)
    return frozenset(tuple(tokens[i : i + 3]) for i in range(max(1, len(tokens) - 2)))


def brute_force(texts: list[str], threshold: float) -> set[tuple[int, int]]:
    """Compare every pair."""
    sets = [shingles(text) for text in texts]
    found = set()
    for b, right in enumerate(sets):
        for a in range(b):
            shared = len(sets[a] & right)
            if shared / (len(sets[a]) + len(right) - shared) >= threshold:
                found.add((a, b))
    return found


def minhash(texts: list[str], threshold: float) -> set[tuple[int, int]] | None:
    """Find pairs by datasketch; None where it is not installed."""
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError:
        return None
    index = MinHashLSH(threshold=threshold, num_perm=128)
    found = set()
    for b, text in enumerate(texts):
        signature = MinHash(num_perm=128)
        signature.update_batch([" ".join(shingle).encode() for shingle in shingles(text)])
        found.update((a, b) for a in index.query(signature))
        index.insert(b, signature)
    return found


def main() -> None:
    """Run all three on the same documents and print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--threshold", type=float, default=0.8)
    options = parser.parse_args()
    texts = documents(options.documents)
    size = sum(map(len, texts)) / 1e6
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    print(
        f"{len(texts):,} documents, {size:.0f} MB, threshold {options.threshold}, load {load:.1f}"
    )

    began, cpu = time.perf_counter(), time.process_time()
    matches = find_near((Compared([text]) for text in texts), options.threshold)
    ours, ours_cpu = time.perf_counter() - began, time.process_time() - cpu
    pairs = {(pair.a, pair.b) for pair in matches.pairs()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"exact join     {ours:8.2f} s  {len(texts) / ours_cpu:9,.0f} documents/cpu-s"
          f"  {len(pairs):,} pairs  {peak:,.0f} MB at most")  # fmt: skip

    sample = texts[:SAMPLE]
    cpu = time.process_time()
    truth = brute_force(sample, options.threshold)
    spent = (time.process_time() - cpu) * (len(texts) / len(sample)) ** 2
    found = find_near((Compared([text]) for text in sample), options.threshold)
    ours_sample = {(pair.a, pair.b) for pair in found.pairs()}
    print(f"brute force    {spent:8.0f} s (scaled from {len(sample):,})  {spent / ours_cpu:,.0f} x ours;"
          f" on the sample missing {len(truth - ours_sample)}, wrong {len(ours_sample - truth)}")  # fmt: skip

    cpu = time.process_time()
    near = minhash(texts, options.threshold)
    if near is None:
        print("datasketch     not installed")
        return
    spent = time.process_time() - cpu
    recall = len(near & pairs) / max(1, len(pairs))
    precision = len(near & pairs) / max(1, len(near))
    print(f"datasketch     {spent:8.2f} s  {spent / ours_cpu:.1f} x ours;"
          f" recall {recall:.3f}, precision {precision:.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
