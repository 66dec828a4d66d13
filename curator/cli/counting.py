"""The verb that counts tokens: count."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from curator.cli.answer import Answer
from curator.cli.arguments import Options, Verbs, add_project, is_project, open_project
from curator.cli.damage import naming_damaged
from curator.cli.progress import Progress
from curator.cli.rows import numbered_texts
from curator.dataset.counted import counted
from curator.dataset.errors import WrongUse
from curator.dataset.json_values import Json
from curator.project.store.tables import living

if TYPE_CHECKING:
    from curator.curate.analysis.columns import Analysis
    from curator.project.store.project import Project
    from curator.tune.jobs.base_counts import OwnCount

_BATCH = 4_000
_SHOWN = 20


def add_verb(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add(
        "count",
        _count,
        "Count tokens as the training service will, for a base model or an encoding.",
        "curator count chats.jsonl --base gpt-4.1-mini",
        "curator count x.curator --encoding o200k_base --each --json",
    )
    add_project(parser, or_file=True)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--base", default="", metavar="NAME", help="a base model or a checkpoint")
    which.add_argument(
        "--encoding", default="", metavar="NAME", help="o200k_base, cl100k_base, ..."
    )
    parser.add_argument("--each", action="store_true", help="tell every conversation's count")


@dataclass
class _Counted:
    """The sums so far; limit is None where only an encoding was named."""

    encoding: str
    limit: int | None
    tell_each: bool
    exact: bool = True
    conversations: int = 0
    tokens: int = 0
    trained: int = 0
    over: int = 0
    refused: int = 0
    each: list[dict[str, Json]] = field(default_factory=list)

    def take(
        self, found: "Analysis", ids: Sequence[int | None], lines: Sequence[int | None]
    ) -> None:
        """Add a batch; ids and lines name its rows where they are known."""
        tokens, exact = found.columns["tokens"], found.columns["tokens_exact"]
        self.conversations += len(found)
        self.tokens += int(tokens.sum())
        self.trained += int(found.columns["trained_tokens"].sum())
        self.over += int((tokens > self.limit).sum()) if self.limit else 0
        self.exact &= bool(exact.all())
        self.refused += len(found.rejected)
        if self.tell_each:
            cells = zip(ids, lines, tokens.tolist(), exact.tolist(), strict=True)
            self.each += [
                {"conversation": i, "source_line": at, "tokens": n, "exact": bool(e)}
                for i, at, n, e in cells
            ]

    def to_json(self) -> dict[str, Json]:
        """Return the keys of the verb."""
        return {
            "conversations": self.conversations,
            "tokens": self.tokens,
            "trained_tokens": self.trained,
            "encoding": self.encoding,
            "exact": self.exact,
            "over_limit": self.over,
            "limit": self.limit,
            "rejected": self.refused,
            "note": "",
            "each": self.each,
        }


def _count(options: Options, progress: Progress) -> Answer:
    from curator.curate.analysis.tokens import resolve_base_model

    note = ""
    own = None if options.encoding else _own(options.base or base_of(options.input))
    if own is not None:
        return _by_its_own(options, own, progress)
    if options.encoding:
        total = _Counted(_known(options.encoding), None, options.each)
    else:
        facts = resolve_base_model(options.base or base_of(options.input))
        note = facts.note
        total = _Counted(facts.encoding, facts.context_limit, options.each, exact=facts.known)
    if is_project(options.input):
        with open_project(options.input, read_only=True) as project:
            _count_project(project, total, progress)
            damaged = project.damaged
    else:
        damaged = set()
        _count_file(Path(options.input), total, progress)
    keys = total.to_json() | {"note": note}
    return naming_damaged(Answer(keys, _lines(keys)), damaged)


def _own(name: str) -> "OwnCount | None":
    from curator.tune.jobs.base_counts import own_count

    return own_count(name)


def _by_its_own(options: Options, own: "OwnCount", progress: Progress) -> Answer:
    """Count by the tokenizer and template of a base on this computer: what a job on it reads."""
    total = _Counted(own.base.name, own.limit, options.each)
    refused: list[Json] = []
    with numbered_texts(options.input) as texts:
        for (id_, line, _), row in own.counted(texts.rows, progress.cancelled):
            total.conversations += not row.is_broken
            total.tokens += row.tokens
            total.trained += row.trained
            total.over += row.longest > own.limit
            if row.refused:
                refused.append({"conversation": id_, "source_line": line, "reason": row.refused})
            if options.each:
                tokens = None if row.refused else row.tokens
                each = {"conversation": id_, "source_line": line, "tokens": tokens, "exact": True}
                total.each.append(each)
            progress(total.conversations, texts.total, "Counting")
    total.refused = len(refused)
    keys = total.to_json() | {"rejected_rows": refused}
    first = [
        f"{row['conversation'] or row['source_line']}: {row['reason']}" for row in refused[:_SHOWN]
    ]
    return naming_damaged(Answer(keys, (*_lines(keys), *first)), texts.damaged)


def _lines(keys: dict[str, Json]) -> tuple[str, ...]:
    about = "" if keys["exact"] else "about "
    lines = [
        f"{counted(keys['conversations'], 'conversation')}, {about}{counted(keys['tokens'], 'token')} of "
        f"{keys['encoding']}, {keys['trained_tokens']:,} of them trained"
    ]
    if keys["limit"]:
        lines.append(f"{keys['over_limit']:,} over the limit of {keys['limit']:,}")
    if "rejected_rows" in keys and keys["rejected"]:
        lines.append(f"{keys['rejected']:,} cannot be read by {keys['encoding']}, not counted")
    elif keys["rejected"]:
        one, many = "line is no conversation and was", "lines are no conversation and were"
        lines.append(f"{counted(keys['rejected'], one, many)} not counted")
    lines += [keys["note"]] if keys["note"] else []
    lines += [f"{e['conversation'] or e['source_line']}\t{e['tokens']}" for e in keys["each"]]
    return tuple(lines)


def _known(encoding: str) -> str:
    from curator.curate.analysis.tokens import ENCODINGS

    if encoding not in ENCODINGS:
        raise WrongUse(f'There is no encoding "{encoding}"; choose {", ".join(ENCODINGS)}.')
    return encoding


def base_of(name: str) -> str:
    """Return the base model of a project, the usual one for a file."""
    from curator.dataset.codes import DEFAULT_BASE_MODEL

    if not is_project(name):
        return DEFAULT_BASE_MODEL
    with open_project(name, read_only=True) as project:
        return str(project.setting("base_model", DEFAULT_BASE_MODEL))


def _count_project(project: "Project", total: _Counted, progress: Progress) -> None:
    from curator.curate.analysis.kernel import analyse
    from curator.dataset.codes import DEFAULT_RULES_PROFILE

    ids = living(project).tolist()
    places = dict(zip(project.ids().tolist(), project.column("source_line").tolist(), strict=True))
    for start in range(0, len(ids), _BATCH):
        part = ids[start : start + _BATCH]
        sound = list(project.iterate(part))
        part, raw = [id_ for id_, _ in sound], [line.encode() for _, line in sound]
        found = analyse(
            raw, encoding=total.encoding, rules_profile=DEFAULT_RULES_PROFILE, limit=total.limit
        )
        total.take(found, part, [places[id_] or None for id_ in part])
        progress(min(start + _BATCH, len(ids)), len(ids), "Counting")


def _count_file(path: Path, total: _Counted, progress: Progress) -> None:
    from curator.curate.analysis.kernel import analyse
    from curator.dataset.codes import DEFAULT_RULES_PROFILE
    from curator.formats.json_records import sniff
    from curator.formats.opening import require_whole

    size, read = path.stat().st_size if path.is_file() else 0, 0
    source = sniff(path)
    require_whole(source.opening)
    for chunk in source.read():
        found = analyse(
            chunk.records,
            encoding=total.encoding,
            rules_profile=DEFAULT_RULES_PROFILE,
            limit=total.limit,
        )
        total.take(found, [None] * len(found), [chunk.numbers[at] for at in found.line.tolist()])
        total.refused += len(chunk.faults)
        read += sum(map(len, chunk.records))
        progress(min(read, size), size, "Counting")
