"""Law: imports, edits and counting anew at once store what each row gives when it is analysed alone."""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest

from curator.curate.analysis.columns import NUMBERS
from curator.curate.analysis.kernel import Kernel, analyse, analyse_conversation, kernel
from curator.dataset import ContentPatch, Conversation, Edit
from curator.dataset.codes import EDITED
from curator.project import Project
from curator.project.imports.importing import import_files
from curator.project.imports.reanalysis import reanalyse
from curator.project.store.derive import terms_in

TERMS = {"encoding": "o200k_base", "rules_profile": "openai_sft", "limit": 16_000}
SHAPES = [
    ("system", *turns)
    for length in range(1, 8)
    for turns in product(("user", "assistant"), repeat=length)
]


def line(number, shift=0):
    """A plain line; nearly each has roles that no other has, so that new ones come up all the time."""
    roles = SHAPES[(number * 7 + shift) % len(SHAPES)]
    talk = [
        {"role": role, "content": f"{role} {number} {at} " + "word " * (number % 5)}
        for at, role in enumerate(roles)
    ]
    return json.dumps({"messages": talk})


def never():
    return False


def quiet(*_):
    return None


def all_at_once(*works):
    """Run each work in a thread of its own, begun together; raise the first error of any."""
    begin = threading.Barrier(len(works))

    def run(work):
        begin.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(run, work) for work in works]:
            future.result()


@pytest.fixture(autouse=True)
def threads_change_often():
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    kernel.cache_clear()
    yield
    sys.setswitchinterval(usual)


@pytest.mark.parametrize("fast", [False, True])
def test_one_kernel_gives_every_thread_what_it_gives_alone(fast):
    shared = kernel(*TERMS.values())
    if fast and not shared.counter.accelerate():
        pytest.skip("fastokens is not installed, so there is no faster engine")
    lines = [line(n).encode() for n in range(600)]
    alone = {raw: Kernel("o200k_base", "openai_sft", 16_000).analyse([raw]) for raw in lines}
    wrong = []

    def check(raw, row):
        expected = {name: int(alone[raw].columns[name][0]) for name in NUMBERS}
        if row != expected:
            wrong.append((raw, row, expected))

    def whole(begin):
        for start in range(begin, len(lines), 50):
            part = lines[start : start + 50]
            found = analyse(part, **TERMS)
            for at, raw in enumerate(part):
                check(raw, {name: int(found.columns[name][at]) for name in NUMBERS})

    def single():
        for raw in reversed(lines):
            text = raw.decode()
            row = analyse_conversation(
                Conversation.parse(text),
                encoding="o200k_base",
                profile="openai_sft",
                limit=16_000,
                raw=text,
            )
            check(raw, {name: getattr(row, name) for name in NUMBERS})

    all_at_once(lambda: whole(0), lambda: whole(200), single, single)
    assert not wrong, f"{len(wrong)} rows, the first: {wrong[0]}"


def test_imports_edits_and_counting_anew_at_once_store_what_is_computed_afresh(tmp_path):
    files = []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.jsonl"
        base = 0 if name == "a" else 10_000
        path.write_text("".join(line(base + n) + "\n" for n in range(400)), "utf-8")
        files.append(path)
    with Project.create(tmp_path / "p.curator", author="ann") as project:
        ids = list(project.new_conversation_ids(60))
        for id_ in ids:
            project.apply(Edit("New", "ann", (ContentPatch(id_, None, line(20_000 + id_)),)))

        def edit():
            for turn in range(3):
                for id_ in ids:
                    patch = ContentPatch(id_, project.content(id_), line(30_000 + id_, turn + 1))
                    project.apply(Edit("E", "ann", (patch,)))

        def bring(*paths):
            for path in paths:
                import_files(project, [path], progress=quiet, cancelled=never)

        def count_anew():
            for _ in range(4):
                reanalyse(project, quiet, never)

        all_at_once(lambda: bring(*files), edit, edit_nothing_else(project), count_anew)
        assert not differing(project, 860)


def differing(project, rows):
    """Return the rows and columns that are stored otherwise than a fresh kernel gives them."""
    with project.reading() as connection:
        terms = terms_in(connection)
    fresh = Kernel(terms.encoding, terms.profile, terms.limit)
    everything = project.column("id").tolist()
    assert len(everything) == rows
    wrong = []
    for id_ in everything:
        text = project.content(id_)
        expected = fresh.row(Conversation.parse(text), raw=text)
        stored = project.row(id_)
        found = expected._replace(
            **{name: getattr(stored, name) for name in (*NUMBERS, "title") if name != "flags"},
            flags=stored.flags & ~EDITED,
            findings=tuple(project.findings(id_)),
        )
        wrong += [] if found == expected else [(id_, found, expected)]
    return wrong


def edit_nothing_else(project):
    """What the window does while a person writes: the same shared kernel, without storing."""

    def gauge():
        for number in range(300):
            text = line(40_000 + number, 3)
            analyse_conversation(
                Conversation.parse(text),
                encoding="o200k_base",
                profile="openai_sft",
                limit=1_047_576,
                raw=text,
            )

    return gauge
