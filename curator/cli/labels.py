"""The verb that says something of conversations: label."""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from curator.cli.answer import DONE, FOUND, Answer, table
from curator.cli.arguments import Options, Parser, Verbs, open_project
from curator.cli.damage import naming_damaged
from curator.cli.progress import Progress
from curator.cli.selection import add_selection, select
from curator.dataset import Edit, LabelSet, Status
from curator.dataset.counted import counted
from curator.dataset.errors import WrongUse
from curator.dataset.json_values import Json
from curator.dataset.label import plain_name, spelling
from curator.project import label_files, labels
from curator.project.store.label_rows import annotation_values, answers_to
from curator.project.store.project import Project

_SHOWN = 20

Part = Callable[[Project, Options, Progress], Answer]


def add_verbs(verbs: Verbs) -> None:
    """Add the verb and its parts."""
    parser = verbs.add(
        "label",
        _run,
        "Set statuses, tags and labels, and bring them in or out as files.",
        "curator label x.curator status accepted --where 'errors:0'",
        "curator label x.curator tag urgent --ids 3,17",
        "curator label x.curator define intent lost_card fees balance",
        "curator label x.curator set intent fees --where '\"monthly fee\"'",
        "curator label x.curator import x.labels.jsonl",
        "curator label x.curator list --json",
    )
    parser.add_argument("project", metavar="P", help="a project file (x.curator)")
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    status = _part(parts, "status", _status, "Set the status of conversations.")
    status.add_argument("value", choices=[str(each) for each in Status])
    tag = _part(parts, "tag", _tag, "Add a tag to conversations, or take it away.")
    tag.add_argument("value", metavar="TAG")
    tag.add_argument("--remove", action="store_true", help="take the tag away")
    answer = _part(parts, "set", _set, "Answer a label set for conversations.")
    answer.add_argument("label_set", metavar="SET")
    answer.add_argument("value", nargs="?", metavar="VALUE", help="left out: clear the answer")
    define = _part(parts, "define", _define, "Add a label set, or change its values.", choose=False)
    define.add_argument("label_set", metavar="SET")
    define.add_argument("values", nargs="+", metavar="VALUE")
    define.add_argument("--kind", choices=("choice", "rating"), default="choice")
    _part(parts, "list", _list, "Count statuses, tags and labels.")
    bring = _part(parts, "import", _import, "Take labels from a JSONL file.", choose=False)
    bring.add_argument("file", metavar="FILE")
    out = _part(parts, "export", _export, "Write all labels to a JSONL file.", choose=False)
    out.add_argument("file", metavar="FILE")


def _part(
    parts: "argparse._SubParsersAction[Parser]",
    name: str,
    do: Part,
    about: str,
    *,
    choose: bool = True,
) -> Parser:
    parser = parts.add_parser(
        name, help=about[:1].lower() + about[1:].rstrip("."), description=about
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--author", default="", help="who says so (default: you)")
    parser.set_defaults(do=do)
    if choose:
        add_selection(parser)
    return parser


def _run(options: Options, progress: Progress) -> Answer:
    part: Part = options.do
    reads = part in (_list, _export)
    with open_project(options.project, read_only=reads) as project:
        return naming_damaged(part(project, options, progress), project.damaged)


def _status(project: Project, options: Options, progress: Progress) -> Answer:
    ids = select(project, options, progress)
    return _give(project, options, ids, "status", options.value, f"Set status {options.value}")


def _tag(project: Project, options: Options, progress: Progress) -> Answer:
    if not plain_name(options.value):
        raise WrongUse("A tag needs more than spaces.")
    ids = select(project, options, progress)
    before = annotation_values(project, ids, "tags")
    after = [_with_tag(tags, options.value, remove=options.remove) for tags in before]
    verb = "Remove tag" if options.remove else "Tag"
    return _give(project, options, ids, "tags", after, f"{verb} {options.value}", each=True)


def _set(project: Project, options: Options, progress: Progress) -> Answer:
    sets = labels.label_sets(project)
    name, value = options.label_set, None
    if options.value is not None:
        name, value = labels.check_label(sets, name, options.value)
    else:
        # A set that is gone may still have answers to clear.
        name = spelling(name, (each.name for each in sets)) or name
    ids = select(project, options, progress)
    return _give(
        project, options, ids, f"label:{name}", value, f"Label {name}: {value or 'cleared'}"
    )


def _define(project: Project, options: Options, _progress: Progress) -> Answer:
    sets = {each.name: each for each in labels.label_sets(project)}
    given = LabelSet(options.label_set, options.kind, tuple(options.values))
    new = labels.plain_set(given, tuple(sets.values()))
    if not new.name or not new.values:
        raise WrongUse("A label set needs a name and answers that are more than spaces.")
    sets[new.name] = new
    patch = labels.label_sets_patch(project, tuple(sets.values()))
    project.apply(Edit(f"Label set {new.name}", _author(project, options), (patch,)))
    keys = {"label_set": new.name, "kind": new.kind, "values": list(new.values)}
    return Answer(keys, (f"{new.name}: {', '.join(new.values)}",))


def _list(project: Project, options: Options, progress: Progress) -> Answer:
    ids = select(project, options, progress)
    statuses = Counter(str(v) for v in annotation_values(project, ids, "status"))
    tags = Counter(tag for tags in annotation_values(project, ids, "tags") for tag in tags)
    sets: list[dict[str, Json]] = []
    for each in labels.label_sets(project):
        answers = _answers(project, each.name, ids)
        counts = {value: answers[value] for value in (*each.values, *sorted(answers))}
        sets.append({"name": each.name, "kind": each.kind, "counts": counts})
    keys: dict[str, Json] = {
        "conversations": len(ids),
        "statuses": {str(each): statuses[str(each)] for each in Status},
        "tags": dict(sorted(tags.items())),
        "label_sets": sets,
    }
    rows = [("status", name, f"{n:,}") for name, n in keys["statuses"].items()]
    rows += [("tag", name, f"{n:,}") for name, n in keys["tags"].items()]
    rows += [(str(s["name"]), value, f"{n:,}") for s in sets for value, n in s["counts"].items()]
    return Answer(keys, (counted(len(ids), "conversation"), *table(rows)))


def _answers(project: Project, label_set: str, ids: Sequence[int]) -> Counter[str]:
    wanted = set(ids)
    return Counter(value for id_, value in answers_to(project, label_set) if id_ in wanted)


def _import(project: Project, options: Options, _progress: Progress) -> Answer:
    report = label_files.import_labels(project, Path(options.file), _author(project, options))
    if report.edit is not None:
        project.apply(report.edit)
    changed = len(report.edit.conversations()) if report.edit else 0
    lines = [
        f"{counted(changed, 'conversation')} labelled, "
        f"{counted(len(report.refused), 'line')} refused"
    ]
    lines += [f"  {options.file}:{line} {reason}" for line, reason in report.refused[:_SHOWN]]
    if len(report.refused) > _SHOWN:
        lines.append(f"  ... and {len(report.refused) - _SHOWN:,} more (--json tells all)")
    keys = {
        "changed": changed,
        "unknown": len(report.refused),
        "refused": [each._asdict() for each in report.refused],
        "notes": list(report.notes),
    }
    return Answer(keys, (*lines, *report.notes), FOUND if report.refused else DONE)


def _export(project: Project, options: Options, _progress: Progress) -> Answer:
    try:
        lines = label_files.export_labels(project, Path(options.file), _author(project, options))
    except OSError as error:
        raise WrongUse(f"{options.file} cannot be written: {error.strerror}.") from error
    return Answer(
        {"file": options.file, "lines": lines}, (f"{counted(lines, 'line')} in {options.file}",)
    )


def _author(project: Project, options: Options) -> str:
    return plain_name(options.author) or project.author


def _give(
    project: Project,
    options: Options,
    ids: list[int],
    field: str,
    value: Json,
    title: str,
    *,
    each: bool = False,
) -> Answer:
    author = _author(project, options)
    annotator = author if field.startswith("label:") else ""
    patch = labels.annotation_patch(project, ids, field, value, annotator=annotator, each=each)
    changed = len(patch.conversations) if patch else 0
    if patch:
        project.apply(Edit(title, author, (patch,)))
    lines = (f"{changed:,} of {counted(len(ids), 'conversation')} changed.",)
    return Answer({"conversations": len(ids), "changed": changed}, lines)


def _with_tag(tags: Sequence[str], tag: str, *, remove: bool) -> list[str]:
    known = spelling(tag, tags)
    if remove:
        return [each for each in tags if each != known]
    return list(tags) if known else [*tags, plain_name(tag)]
