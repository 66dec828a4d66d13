"""Where a job's checkpoint comes from: target, settings, export and rows, for ever."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QScrollArea, QWidget

from curator.app.theme import number_font
from curator.app.widgets.layouts import STRETCH, scroll_canvas, vbox
from curator.app.widgets.text import Muted, Plain
from curator.tune.checkpoint_names import checkpoint_name
from curator.tune.jobs.lineage import Lineage
from curator.tune.jobs.table import Job

_MOST_RANGES: Final = 100


class OriginView(QScrollArea):
    """Shows a Lineage as names and values that can be selected and copied."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setAccessibleName(self.tr("Origin of the checkpoint"))
        inside = scroll_canvas(self)
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(24)
        self._form.setVerticalSpacing(6)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        vbox(self._form, STRETCH, parent=inside, margins=(0, 8, 8, 0))
        self.setWidget(inside)

    def show_lineage(self, lineage: Lineage) -> None:
        """Show what made a checkpoint."""
        while self._form.rowCount():
            self._form.removeRow(0)
        for name, value in self._facts(lineage):
            if not value:
                continue
            words = Plain(value, self, wrap=True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            words.setAccessibleName(f"{name}: {value}")
            if name == self.tr("Snapshot"):
                words.setFont(number_font())
            self._form.addRow(Muted(name, self), words)

    def _facts(self, lineage: Lineage) -> tuple[tuple[str, str], ...]:
        job, manifest = lineage.job, lineage.manifest
        counts = lineage.conversations
        rows = ", ".join(
            f"{len(ids):,} {self._split_word(split)}" for split, ids in counts.items() if ids
        )
        return (
            (self.tr("Checkpoint"), checkpoint_name(job) + self._gone(job)),
            (self.tr("Its id"), job.checkpoint),
            (self.tr("Job"), job.job or job.token),
            (self.tr("Target"), f"{job.target} · {job.base_url}"),
            (self.tr("Base model"), job.base),
            (self.tr("Method"), self._method(job.method)),
            (self.tr("Settings"), self._settings(job)),
            (self.tr("Seed"), self.tr("the service chose") if job.seed is None else str(job.seed)),
            (self.tr("Grader"), str((job.grader or {}).get("type", ""))),
            (self.tr("Rows"), rows or self.tr("{0}, not noted which").format(f"{job.rows:,}")),
            (self.tr("Conversations"), ranges(counts.get("train", []))),
            (self.tr("Project"), job.project),
            (self.tr("Export"), self._export(job)),
            (self.tr("Snapshot"), job.snapshot),
            (self.tr("Made with"), self._made_with(manifest)),
        )

    def _method(self, method: str) -> str:
        words = {
            "sft": self.tr("supervised"),
            "dpo": self.tr("preference"),
            "rft": self.tr("reinforcement"),
        }
        return words.get(method, method)

    def _gone(self, job: Job) -> str:
        return self.tr(" (deleted at its server)") if job.deleted else ""

    def _settings(self, job: Job) -> str:
        chosen = ", ".join(f"{name} {value}" for name, value in job.settings.items())
        return chosen or self.tr("all left to auto")

    def _export(self, job: Job) -> str:
        if not job.export or Path(job.export).is_dir():
            return job.export
        return self.tr("{0} (no longer there)").format(job.export)

    def _made_with(self, manifest: dict[str, Any]) -> str:
        parts = (
            (self.tr("Curator {0}"), manifest.get("app_version")),
            (self.tr("rules {0}"), manifest.get("rule_pack")),
            (self.tr("tokens by {0}"), manifest.get("encoding")),
            (self.tr("split seed {0}"), manifest.get("seed")),
        )
        return ", ".join(words.format(value) for words, value in parts if value is not None)

    def _split_word(self, split: str) -> str:
        return {"train": self.tr("to train on"), "validation": self.tr("to validate with")}.get(
            split, split
        )


def ranges(ids: Sequence[int | None]) -> str:
    """Write ids as ranges: 1-40, 44, 50-61; at most a hundred of them."""
    known = sorted({each for each in ids if each is not None})
    parts: list[list[int]] = []
    for each in known:
        if parts and each == parts[-1][1] + 1:
            parts[-1][1] = each
        else:
            parts.append([each, each])
    shown = [f"{first:,}" if first == last else f"{first:,}-{last:,}" for first, last in parts]
    return ", ".join(shown[:_MOST_RANGES]) + (" …" if len(shown) > _MOST_RANGES else "")
