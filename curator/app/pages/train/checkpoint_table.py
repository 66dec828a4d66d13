"""The checkpoints of a job: their steps, names and measures, and which of them is the best."""

from PySide6.QtWidgets import QWidget

from curator.app.tables.grid import Column, GridView, Table
from curator.app.widgets.line_chart import write_number
from curator.tune.checkpoint_names import checkpoint_name
from curator.tune.jobs.table import Job
from curator.tune.services.port import Checkpoint


class CheckpointTable(GridView):
    """Marks the checkpoint with the lowest validation loss."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Checkpoints"))
        self._checkpoints: tuple[Checkpoint, ...] = ()
        self._best: Checkpoint | None = None
        self._job: Job | None = None
        columns = (
            Column(self.tr("Step"), lambda row: f"{self._checkpoints[row].step:,}", number=True),
            Column(self.tr("Best"), self.best_mark, width=136),
            Column(
                self.tr("Name"),
                self._name,
                stretch=True,
                tip=lambda row: self._checkpoints[row].name,
            ),
            Column(self.tr("Measured"), self._measured, width=280, tip=self._measured),
        )
        self.set_table(Table(columns, self))

    def show_checkpoints(
        self, job: Job, checkpoints: tuple[Checkpoint, ...], best: Checkpoint | None
    ) -> None:
        """Show a job's, one of them as the best."""
        self._job, self._checkpoints, self._best = job, checkpoints, best
        self.table().set_rows(range(len(checkpoints)))

    def best_mark(self, row: int) -> str:
        """Return what marks the best one, empty for the others."""
        is_best = self._best is not None and self._checkpoints[row].id == self._best.id
        return self.tr("★ lowest loss") if is_best else ""

    def _name(self, row: int) -> str:
        shown = self._checkpoints[row]
        if self._job is None or not shown.name:
            return shown.name
        step = None if shown.name == self._job.checkpoint else shown.step
        return checkpoint_name(self._job, step)

    def _measured(self, row: int) -> str:
        metrics = self._checkpoints[row].metrics
        shown = [f"{k} {write_number(float(v))}" for k, v in metrics.items() if k != "step"]
        return ", ".join(shown)
