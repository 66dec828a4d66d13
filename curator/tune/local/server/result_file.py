"""The result file of a finished job: the loss table, built from the event log."""

import csv
import io

from curator.tune.local.job_folders import JobFolder
from curator.tune.local.server.files_api import FileStore
from curator.tune.local.server.queue import Queue

_COLUMNS = (
    ("step", "step"),
    ("train_loss", "train_loss"),
    ("train_accuracy", "train_mean_token_accuracy"),
    ("valid_loss", "full_valid_loss"),
    ("valid_mean_token_accuracy", "full_valid_mean_token_accuracy"),
)
_PREFERENCE_COLUMNS = (
    ("step", "step"),
    ("train_loss", "train_loss"),
    ("train_preference_accuracy", "train_preference_accuracy"),
    ("train_preference_margin", "train_preference_margin"),
    ("valid_loss", "full_valid_loss"),
    ("valid_preference_accuracy", "full_valid_preference_accuracy"),
    ("valid_preference_margin", "full_valid_preference_margin"),
)


def loss_table(job: JobFolder) -> str:
    """Return the job's metrics as CSV with OpenAI's column names; blanks where nothing was measured."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    preference = job.spec["options"].get("objective") == "preference"
    columns = _PREFERENCE_COLUMNS if preference else _COLUMNS
    writer.writerow([title for title, _ in columns])
    for event in job.events():
        if event["type"] == "metrics":
            writer.writerow([event["data"].get(key, "") for _, key in columns])
    return out.getvalue()


def publish(queue: Queue, files: FileStore) -> None:
    """Give every job that succeeded its result file."""
    for job in queue.all():
        state = job.state
        if state["status"] == "succeeded" and not state.get("result_file"):
            table = io.BytesIO(loss_table(job).encode())
            meta = files.add(table, f"{job.id}-step_metrics.csv", "fine-tune-results")
            job.update(result_file=meta["id"])
