"""The page's work off the GUI thread: finding candidates and runs, asking, and working out what to show."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from curator.app.pages.evaluate.pdf import write_pdf
from curator.app.session.background import Work
from curator.dataset.errors import WrongUse
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.project.store import evaluation_rows as rows
from curator.tune.candidates import Asked, who_can_be_asked
from curator.tune.evaluation.comparison import Comparison
from curator.tune.evaluation.items import Prompt, message_text
from curator.tune.evaluation.preparing import Request, prepare, query_of
from curator.tune.evaluation.report import Table, check_report, comparison_table, write_report
from curator.tune.evaluation.results import Results, changed_since, read_results
from curator.tune.evaluation.runs import RunPlan, ask_run
from curator.tune.evaluation.scores import confusions

if TYPE_CHECKING:
    from curator.project.store.evaluation_rows import StoredRun
    from curator.project.store.project import Project
    from curator.project.store.reader import Reader

_ORDER: Final = ("worse", "better", "both wrong", "both right")


@dataclass(frozen=True)
class RunLine:
    """One run as the list of runs shows it."""

    token: str
    at: int
    state: str
    reason: str
    names: tuple[str, ...]
    items: int
    replies: int


@dataclass(frozen=True)
class Choices:
    """What can be chosen: who can be asked, the label sets, and the runs, newest first."""

    asked: tuple[Asked, ...]
    label_sets: tuple[str, ...]
    runs: tuple[RunLine, ...]


@dataclass(frozen=True)
class ItemRow:
    """One question with what each of two candidates said; verdict is a word of _ORDER.

    With one candidate both are the same one.
    """

    conversation: int
    title: str
    question: str
    verdict: str
    expected: str
    replies: tuple[str, ...]
    errors: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """All that the page shows of a run, worked out once."""

    line: RunLine
    names: tuple[str, ...]
    figures: Table
    comparison: Comparison | None
    items: tuple[ItemRow, ...]
    results: Results
    cells: tuple[Mapping[tuple[int, int], list[int]], ...]
    titles: Mapping[int, str]
    changed: int


def read_choices(project: "Project") -> Work[Choices]:
    """Return the work that finds out what can be chosen."""

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> Choices:
        from curator.project.labels import label_sets
        from curator.project.store.label_rows import answered_sets

        with project.reader() as reader:
            names = dict.fromkeys(
                [*(each.name for each in label_sets(reader)), *answered_sets(reader)]
            )
            lines = tuple(_line(reader, run) for run in rows.runs(reader))
        return Choices(who_can_be_asked(str(project.path)), tuple(names), lines)

    return work


def _line(reader: "Reader", run: "StoredRun") -> RunLine:
    plan = RunPlan.from_json(run.plan)
    names = tuple(each.name for each in plan.candidates)
    items = rows.item_count(reader, run.id)
    replies = rows.reply_count(reader, run.id)
    return RunLine(run.token, run.at, run.state, run.reason, names, items, replies)


def begin(project: "Project", request: Request) -> Work[str]:
    """Return the work that stores a run and asks it to its end; it returns the run's token."""

    def work(progress: ProgressCall, cancelled: CancelledCall) -> str:
        from curator.project.queries.selecting import matching_ids, understood

        where = request.where
        if where:
            understood(where)
        base = query_of(request.split, is_open="status:" in where or "is:" in where)
        query = understood(" ".join(filter(None, (base, where))))
        ids = matching_ids(project, query, progress, cancelled)
        run = prepare(project, ids, request, cancelled=cancelled)
        return ask_run(project, run, progress=progress, cancelled=cancelled).token

    return work


def go_on(project: "Project", token: str) -> Work[str]:
    """Return the work that asks what a stopped run has no reply to yet."""

    def work(progress: ProgressCall, cancelled: CancelledCall) -> str:
        run = rows.find_run(project, token)
        return ask_run(project, run, progress=progress, cancelled=cancelled).token

    return work


def read_run(project: "Project", token: str) -> Work[Shown]:
    """Return the work that scores a run and works out what is shown of it."""

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> Shown:
        with project.reader() as reader:
            run = rows.find_run(reader, token)
            results = read_results(reader, run)
            ids = [item.conversation for item in results.items]
            titles = dict(zip(ids, reader.titles(ids), strict=True))
            line = _line(reader, run)
            prompts = rows.prompt_texts(reader, run.id)
            changed = changed_since(reader, results)
        comparisons = results.comparisons() if results.items else ()
        last = comparisons[-1] if comparisons else None
        cells = tuple(
            confusions(each.coded, ids) if each.coded is not None else {}
            for each in results.candidates
        )
        names = tuple(each.name for each in results.candidates)
        table = comparison_table(results, last)
        items = _items(results, titles, prompts)
        return Shown(line, names, table, last, items, results, cells, titles, changed)

    return work


def write(project: "Project", shown: Shown, path: Path) -> Work[Path]:
    """Return the work that writes the report of a run; raises WrongUse for an ending that is none."""
    is_pdf = path.suffix.lower() == ".pdf"
    if not is_pdf:
        check_report(path)

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> Path:
        try:
            if is_pdf:
                write_pdf(shown.results, project.path.name, path)
            else:
                write_report(shown.results, project.path.name, path)
        except OSError as error:
            raise WrongUse(f"{path} cannot be written: {error.strerror}.") from error
        return path

    return work


def _question(prompt: str) -> str:
    """Return what was said last before the answer."""
    messages = Prompt.parse(prompt).messages if prompt else ()
    return message_text(messages[-1]) if messages else ""


def _items(
    results: Results, titles: Mapping[int, str], prompts: Mapping[bytes, str]
) -> tuple[ItemRow, ...]:
    """Return the questions, those that got worse first."""
    if not results.candidates:
        return ()
    one, other = results.candidates[0], results.candidates[-1]
    first, last = one.texts, other.texts
    found = []
    for at, item in enumerate(results.items):
        right = bool(one.right[at]), bool(other.right[at])
        verdict = {
            (True, False): "worse",
            (False, True): "better",
            (False, False): "both wrong",
            (True, True): "both right",
        }[right]
        sides = ((one, first), (other, last))[: len(results.candidates)]
        errors = tuple(r.error if (r := side.replies[at]) else "" for side, _ in sides)
        said = tuple(texts[at] for _, texts in sides)
        words = message_text(item.expected)
        label = results.expected[at]
        expected = words if not label or label == words.strip() else f"{label}\n{words}"
        title = titles.get(item.conversation, "")
        question = _question(prompts.get(item.prompt, ""))
        found.append(ItemRow(item.conversation, title, question, verdict, expected, said, errors))
    found.sort(key=lambda row: _ORDER.index(row.verdict))
    if len(results.candidates) == 1:
        words_of_one = {"both wrong": "wrong", "both right": "right"}
        found = [replace(row, verdict=words_of_one[row.verdict]) for row in found]
    return tuple(found)
