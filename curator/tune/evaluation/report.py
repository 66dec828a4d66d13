"""The report of a run, as Markdown or as one HTML file: lineage, figures with intervals, what differs."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Final

from curator.dataset.counted import counted
from curator.dataset.errors import WrongUse
from curator.dataset.small_files import written_whole
from curator.project.store.values import storable
from curator.tune.evaluation.comparison import Comparison
from curator.tune.evaluation.intervals import Interval
from curator.tune.evaluation.items import message_text
from curator.tune.evaluation.results import Results
from curator.tune.evaluation.scores import FIGURES
from curator.tune.evaluation.text_scores import CORPUS_SCORES, ITEM_SCORES
from curator.tune.jobs.lineage import lineage_of
from curator.tune.jobs.table import JobTable

_SHOWN: Final = 20
"""So many differing replies are shown, those that got worse first."""
_LONGEST: Final = 400
_BLOCKS: Final = 30
_COUNTS: Final = ("unparsable", "empty", "refusals", "failed", "cut")
_TITLES: Final = {
    "accuracy": "right answers",
    "balanced_accuracy": "balanced accuracy",
    "mcc": "Matthews' correlation",
    "unparsable": "no label readable",
    "empty": "empty replies",
    "refusals": "refusals",
    "failed": "refused by the server",
    "cut": "cut at the longest reply",
    "exact_match": "exact replies",
    "token_f1": "token F1",
    "chrf": "chrF",
    "bleu": "BLEU",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougeL": "ROUGE-L",
    "json_valid": "valid JSON",
    "prompt_tokens_each": "tokens read for a reply",
    "reply_tokens_each": "tokens of a reply",
    "seconds_each": "seconds for a reply",
    "tool_arguments": "same tools and arguments",
}

Table = tuple[tuple[str, ...], Sequence[tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a report: a heading, sentences, a table, bars from 0 to 1 with their intervals."""

    heading: str = ""
    sentences: tuple[str, ...] = ()
    table: Table | None = None
    bars: tuple[tuple[str, float, Interval], ...] = ()


def title_of(figure: str) -> str:
    """Return a figure's name for people."""
    return _TITLES.get(figure, figure.replace("_", " ").replace("f1", "F1"))


def shown(figure: str, value: float | None, within: Interval | None = None) -> str:
    """Return a figure for people: a share as per cent, others as numbers, with its interval."""
    if value is None:
        return "-"
    if figure in CORPUS_SCORES:
        return f"{value:.1f}"
    if figure == "mcc":
        return f"{value:.2f}" + (
            "" if within is None else f" ({within.low:.2f} to {within.high:.2f})"
        )
    return f"{value:.1%}" + ("" if within is None else f" ({within.low:.1%} to {within.high:.1%})")


def figures_shown(results: Results) -> tuple[str, ...]:
    """Return the names of the figures that a run has, in the order of tables."""
    known = {name for each in results.candidates for name in each.figures}
    order = (*FIGURES, "tool_arguments", "json_valid", *ITEM_SCORES, *CORPUS_SCORES)
    return tuple(name for name in order if name in known)


def figure_table(results: Results) -> Table:
    """Return the table of figures: a row for each, a column for each candidate."""
    bounds = [results.intervals(at) for at in range(len(results.candidates))]
    rows = [
        (
            title_of(name),
            *(
                shown(name, each.figures.get(name), within.get(name))
                for each, within in zip(results.candidates, bounds, strict=True)
            ),
        )
        for name in figures_shown(results)
    ]
    counts = [each.counts() for each in results.candidates]
    rows += [
        (title_of(n), *(f"{c[n]:,}" for c in counts)) for n in _COUNTS if any(c[n] for c in counts)
    ]
    rows += _spent(results)
    return ("figure", *(each.name for each in results.candidates)), rows


def comparison_table(results: Results, comparison: Comparison | None) -> Table:
    """Return the table of figures with a last column for the difference where two are compared."""
    header, rows = figure_table(results)
    if comparison is None:
        return header, rows
    names = [*figures_shown(results), *(None for _ in rows)]
    found = [
        (*row, "" if name is None else _difference(name, comparison))
        for name, row in zip(names, rows, strict=False)
    ]
    return (*header, "difference"), found


def _difference(figure: str, comparison: Comparison) -> str:
    if figure not in comparison.differences:
        return ""
    value, within = comparison.differences[figure]
    if figure == "mcc":
        return f"{value:+.2f} ({within.low:+.2f} to {within.high:+.2f})"
    return f"{value:+.1%} ({within.low:+.1%} to {within.high:+.1%})"


def parts_of(results: Results, project: str) -> tuple[Part, ...]:
    """Return the whole report."""
    found = [_lineage(results, project), Part("Figures", _intervals_told(), figure_table(results))]
    bars = []
    for at, each in enumerate(results.candidates):
        within = results.intervals(at)
        bars += [
            (f"{title_of(name)}, {each.name}", each.figures[name], within[name])
            for name in ("accuracy", "f1_macro", "exact_match")
            if name in each.figures and (name != "exact_match" or each.coded is None)
        ]
    found.append(Part("Chart", (), None, tuple(bars)))
    for comparison in results.comparisons():
        sentences = tuple(filter(None, (comparison.sentence(), comparison.advice())))
        found.append(
            Part(f"{comparison.b} against {comparison.a}", (*sentences, comparison.figures_told()))
        )
    found += _differing(results)
    found += _confused(results)
    return tuple(found)


def _lineage(results: Results, project: str) -> Part:
    plan, run = results.plan, results.run
    begun = datetime.fromtimestamp(run.at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    data = " ".join(filter(None, (plan.split and f"split {plan.split}", plan.where))) or "all"
    sent = ", ".join(f"{k} {v}" for k, v in plan.settings.to_json().items() if v is not None)
    rows = [
        ("project", project),
        ("run", f"{run.token}, begun {begun} by {run.author}"),
        ("data", f"{data}: {counted(len(results.items), 'question')}"),
        ("settings", sent.replace("_", " ")),
    ]
    for each in plan.candidates:
        tuned = _tuned_from(each.model)
        rows.append((f"candidate {each.name}", f"{each.model} at {each.target}"))
        rows += [("", tuned)] if tuned else []
    rows += [("left out", f"{n:,}: {why}") for why, n in plan.left_out.items()]
    return Part("Evaluation", (), (("what", "which"), rows))


def _spent(results: Results) -> Iterable[tuple[str, ...]]:
    """Yield what a reply takes, so that one sees when a prompt is enough."""
    spent = [each.spent() for each in results.candidates]
    for name in ("prompt_tokens_each", "reply_tokens_each", "seconds_each"):
        if any(each[name] is not None for each in spent):
            cells = ("-" if each[name] is None else f"{each[name]:,}" for each in spent)
            yield title_of(name), *cells


def _tuned_from(model: str) -> str:
    """Return where a checkpoint of this computer's jobs comes from; empty for any other model."""
    with closing(JobTable()) as table:
        if table.of_checkpoint(model) is None:
            return ""
        found = lineage_of(table, model)
    rows = counted(len(found.conversations.get("train", ())), "row")
    made = ", ".join(f"{name} {value}" for name, value in found.job.settings.items())
    return "; ".join(filter(None, (f"tuned from {found.job.base} on {rows}", made)))


def _intervals_told() -> tuple[str, ...]:
    return (
        "In brackets: where a figure lies with a certainty of 95 % (right answers: Wilson's interval; "
        "others: 1,000 random weightings of the questions).",
    )


def differing(results: Results, a: int, b: int) -> list[int]:
    """Return the places of items on which two candidates differ: those that got worse first."""
    one, other = results.candidates[a].right, results.candidates[b].right
    worse = [at for at in range(len(one)) if one[at] and not other[at]]
    return worse + [at for at in range(len(one)) if other[at] and not one[at]]


def _differing(results: Results) -> Iterable[Part]:
    for b in range(1, len(results.candidates)):
        places = differing(results, 0, b)
        if not places:
            continue
        one, other = results.candidates[0], results.candidates[b]
        rows = [
            (
                str(results.items[at].conversation),
                "worse" if one.right[at] else "better",
                _cut(results.expected[at] or _words(results, at)),
                _cut(one.texts[at]),
                _cut(other.texts[at]),
            )
            for at in places[:_SHOWN]
        ]
        header = ("conversation", "change", "right", one.name, other.name)
        yield Part(
            f"Replies that differ, {other.name} against {one.name}",
            (f"{len(rows):,} of {len(places):,}, those that got worse first.",),
            (header, rows),
        )


def _confused(results: Results) -> Iterable[Part]:
    for each in results.candidates:
        if each.coded is None:
            continue
        matrix, classes = each.coded.matrix, (*each.coded.classes, "(unreadable)")
        cells = [
            (int(matrix[row, column]), row, column)
            for row, column in zip(*matrix.nonzero(), strict=True)
            if row != column
        ]
        rows = [
            (classes[row], classes[column], f"{count:,}")
            for count, row, column in sorted(cells, key=lambda cell: -cell[0])[:_SHOWN]
        ]
        if rows:
            yield Part(f"Most confused by {each.name}", (), (("right", "said", "times"), rows))


def _words(results: Results, at: int) -> str:
    return message_text(results.items[at].expected)


def _cut(text: str) -> str:
    short = " ".join(text.split())
    return short if len(short) <= _LONGEST else short[: _LONGEST - 1] + "…"


def to_markdown(parts: Sequence[Part]) -> str:
    """Return a report as Markdown."""
    lines: list[str] = []
    for at, part in enumerate(parts):
        if part.bars:
            continue
        lines += [f"{'#' if at == 0 else '##'} {_plain(part.heading)}", ""]
        lines += [line for sentence in part.sentences for line in (_plain(sentence), "")]
        if part.table is not None:
            header, rows = part.table
            lines += [_row(header), _row(["---"] * len(header)), *map(_row, rows), ""]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_plain(cell) for cell in cells) + " |"


def _plain(text: str) -> str:
    """Return a text whose marks Markdown shows as they are."""
    one_line = " ".join(text.split())
    for mark in "\\`*_<[|":
        one_line = one_line.replace(mark, "\\" + mark)
    return one_line


_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;"
    "color:#1d2430;background:#fff}table{border-collapse:collapse;margin:.5rem 0 1.5rem}"
    "td,th{border:1px solid #c9d0da;padding:.3rem .6rem;text-align:left;vertical-align:top;"
    "overflow-wrap:anywhere}th{background:#eef1f5}text{font:13px system-ui,sans-serif}"
)


def to_html(parts: Sequence[Part], *, pictures: bool = True) -> str:
    """Return a report as one HTML file that needs nothing else; without pictures bars are letters."""
    body: list[str] = []
    for at, part in enumerate(parts):
        level = "h1" if at == 0 else "h2"
        body.append(f"<{level}>{escape(part.heading)}</{level}>")
        body += [f"<p>{escape(sentence)}</p>" for sentence in part.sentences]
        if part.table is not None:
            header, rows = part.table
            body.append("<table>" + _html_row("th", header))
            body += [_html_row("td", row) for row in rows]
            body.append("</table>")
        if part.bars:
            body.append(_chart(part.bars) if pictures else _bar_table(part.bars))
    title = escape(parts[0].heading if parts else "")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _html_row(tag: str, cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _bar_table(bars: Sequence[tuple[str, float, Interval]]) -> str:
    rows = ((name, "█" * round(value * _BLOCKS), f"{value:.1%}") for name, value, _ in bars)
    return "<table>" + "".join(_html_row("td", row) for row in rows) + "</table>"


def _chart(bars: Sequence[tuple[str, float, Interval]]) -> str:
    """Return bars from 0 to 1 with their intervals as a picture."""
    left, width, step = 260, 400, 26
    drawn = []
    for at, (name, value, within) in enumerate(bars):
        y = at * step + 6
        low, high = left + within.low * width, left + within.high * width
        drawn.append(
            f'<text x="0" y="{y + 12}">{escape(name)}</text>'
            f'<rect x="{left}" y="{y}" width="{max(1.0, value * width):.1f}" height="16" fill="#5b8def"/>'
            f'<path d="M{low:.1f} {y + 8}H{high:.1f}M{low:.1f} {y + 3}v10M{high:.1f} {y + 3}v10" '
            'stroke="#1d2430" fill="none"/>'
            f'<text x="{left + width + 12}" y="{y + 12}">{value:.1%}</text>'
        )
    height = len(bars) * step + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 80}" height="{height}" '
        f'role="img" aria-label="Figures with their intervals">{"".join(drawn)}</svg>'
    )


_ENDINGS: Final = (".md", ".html")


def check_report(path: Path) -> Path:
    """Return where a report is to be written; raises WrongUse for an ending that is no report's."""
    if path.suffix.lower() not in _ENDINGS:
        raise WrongUse(f"A report is written as {' or '.join(_ENDINGS)}; {path.name} is neither.")
    return path


def write_report(results: Results, project: str, path: Path) -> None:
    """Write a report, by the ending of its name as Markdown or HTML; raises WrongUse, OSError."""
    parts = parts_of(results, project)
    is_markdown = check_report(path).suffix.lower() == ".md"
    with written_whole(path) as stream:
        stream.write(storable(to_markdown(parts) if is_markdown else to_html(parts)))
