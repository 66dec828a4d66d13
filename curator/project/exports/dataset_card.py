"""The dataset card: what an export holds, in words and numbers a colleague can read."""

from collections.abc import Mapping, Sequence
from typing import Any

from curator.dataset import Split
from curator.dataset.counted import counted
from curator.formats.registry import format_named
from curator.project.exports.manifest import ExportedFile
from curator.project.store.reader import Reader
from curator.project.store.values import storable


def dataset_card(reader: Reader, facts: Mapping[str, Any], files: Sequence[ExportedFile]) -> str:
    """Return the card as Markdown; equal projects and settings give an equal one."""
    parts = [
        f"# {storable(reader.path.stem)}",
        _summary(facts),
        "## Files",
        _files(files),
        "## How it was made",
        _bullets(_making(facts)),
        "## Left out",
        _bullets(_missing(facts)) or "Nothing.",
        "## Where the conversations came from",
        _bullets(
            f"`{source.name}` ({source.format or 'unknown format'})"
            for source in reader.sources()
            if source.imported
        )
        or "They were written in Curator.",
        "## Checking it",
        "`curator verify .` reads every line again and compares the hashes in `manifest.json`. "
        "The files `*.manifest.jsonl` say which conversation of the project each line is.",
    ]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _summary(facts: Mapping[str, Any]) -> str:
    how = "counted exactly" if facts["tokens_exact"] else "partly estimated: tools or parts"
    return (
        f"{counted(facts['rows'], 'demonstration conversation')} as {format_named(facts['format']).title}, "
        f"{counted(facts['tokens'], 'token')} ({facts['encoding']}, {how}), "
        f"{facts['trained_tokens']:,} of them trained."
    )


def _missing(facts: Mapping[str, Any]) -> list[str]:
    left = [f"{reason}: {n:,}" for reason, n in facts["left_out"].items()]
    lost = facts["losses"].items()
    return [*left, *(f"{what} of {counted(n, 'conversation')}: not kept" for what, n in lost)]


def _files(files: Sequence[ExportedFile]) -> str:
    rows = ["| file | split | conversations | tokens | bytes | SHA-256 |"]
    rows.append("|---|---|---:|---:|---:|---|")
    rows += [
        f"| {f.path} | {f.split} | {f.rows:,} | {f.tokens:,} | {f.bytes:,} | `{f.sha256}` |"
        for f in files
    ]
    return "\n".join(rows)


def _making(facts: Mapping[str, Any]) -> list[str]:
    made = [f"Curator {facts['app_version']}, rule pack {facts['rule_pack']}"]
    plan = facts["split_plan"]
    if plan:
        shares = " / ".join(f"{plan[name]:g}" for name in Split)
        made.append(f"Split {shares} (train / validation / test), seed {plan['seed']}")
        if plan["stratify"]:
            made.append(f"Stratified by the label set `{plan['stratify']}`")
        kept = ", ".join(
            [
                "exact copies",
                "equal prompts",
                "beginnings of a conversation",
                *(_kept_too(plan["together"])),
            ]
        )
        made.append(f"Kept in one split: {kept}")
    if facts["settings"]["query"]:
        made.append(f"Only conversations that match `{facts['settings']['query']}`")
    made += [note.rstrip(".") for note in facts["notes"]]
    made.append(f"{counted(facts['warnings'], 'warning')} of the checks, no errors")
    return made


def _kept_too(together: Sequence[str]) -> list[str]:
    names = {"duplicates": "near duplicates", "source": "rows of one source file"}
    return [names[name] for name in together if name in names]


def _bullets(lines: Any) -> str:
    return "\n".join(f"- {line}" for line in lines)
