"""The training loop: steps, validation, checkpoints, and the commands to pause or cancel."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from curator.dataset.counted import counted
from curator.tune.local import crash_reasons, devices
from curator.tune.local.devices import Device
from curator.tune.local.job_folders import JobFolder
from curator.tune.local.options import TrainingOptions
from curator.tune.local.trainer import resuming
from curator.tune.local.trainer.distributed import ProcessGroup
from curator.tune.local.trainer.estimates import duration_words
from curator.tune.local.trainer.examples import Example
from curator.tune.local.trainer.objectives import objective_for
from curator.tune.local.weights import methods

_PACE_STEPS: Final = 3
"""After so many steps the measured pace replaces the estimate."""

# Short steps are not each reported: every report writes the job's state to the disk.
_REPORT_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: succeeded, paused or cancelled, and after which step."""

    status: str
    step: int
    trained_tokens: int


@dataclass(frozen=True, slots=True)
class Score:
    """Mean loss per trained token (or pair), and the means of what else the objective measures."""

    loss: float
    means: dict[str, float]

    def named(self, prefix: str) -> dict[str, float]:
        """Return the numbers as an event carries them, such as full_valid_loss."""
        numbers = {"loss": self.loss, **self.means}
        return {f"{prefix}_{name}": round(value, 6) for name, value in numbers.items()}


class Loop:
    """One run over a prepared network."""

    def __init__(
        self,
        job: JobFolder,
        network: Any,
        train: Sequence[Example],
        validation: Sequence[Example],
        options: TrainingOptions,
        device: Device,
    ) -> None:
        import torch

        self.job = job
        self.options = options
        self.train = train
        self.validation = validation
        self.processes = ProcessGroup(device.kind)
        self.device = device
        torch.manual_seed(options.seed + self.processes.rank)  # dropout
        self.objective = objective_for(options)
        # 4-bit weights were put in their place when they were loaded.
        self.network = network if options.method == "qlora" else network.to(self.processes.device)
        self.optimizer = methods.optimizer(network, options)
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.per_step = options.batch_size * options.accumulation
        self.steps_per_epoch = -(-len(train) // self.per_step)
        self.total_steps = self.steps_per_epoch * options.epochs
        self.step = 0
        self.trained_tokens = 0
        self.best = float("inf")
        self.worse_epochs = 0
        self.started = time.monotonic()
        self.reported = self.started
        self.steps_here = 0

    def run(self) -> Outcome:
        """Train from the start, or from the saved state where there is one."""
        self._restore()
        self.network.train()
        # Patience is asked before each epoch, so that a job killed after its last one does not train another.
        while self.step < self.total_steps and not self._ended_early():
            for batch in self._batches(self.step // self.steps_per_epoch):
                command = self.processes.broadcast(self.job.command)
                if command in ("pause", "cancel"):
                    return self._stop(command)
                self._take(batch)
        return Outcome("succeeded", self.step, self.trained_tokens)

    def _batches(self, epoch: int) -> Iterator[list[Example]]:
        """Yield the batches of an epoch that are not done; the order comes from the seed alone."""
        order = list(range(len(self.train)))
        random.Random(f"{self.options.seed}.{epoch}").shuffle(order)
        for start in range(self.step % self.steps_per_epoch, self.steps_per_epoch):
            chosen = order[start * self.per_step : (start + 1) * self.per_step]
            yield [self.train[index] for index in chosen]

    def _take(self, batch: Sequence[Example]) -> None:
        """Do one update and report it."""
        import torch

        self._set_rate()
        counted = sum(example.trained for example in batch)
        parameters = [p for p in self.network.parameters() if p.requires_grad]
        score = self._learn(batch, counted)
        self.processes.add_gradients(parameters)
        norm = torch.nn.utils.clip_grad_norm_(parameters, self.options.max_gradient)
        crash_reasons.refuse_overflow(self.step + 1, score.loss, float(norm))
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.steps_here += 1
        self.trained_tokens += sum(example.length for example in batch)
        self._report(score)

    def _learn(self, batch: Sequence[Example], counted: int) -> Score:
        """Find a batch's gradients; where a card can only add them up in any order, in any order."""
        try:
            return self._score(batch, counted, learning=True)
        except RuntimeError as error:
            if not devices.give_up_repeating(error):
                raise
            if self.processes.is_main_process:
                self.job.event(f"It cannot be repeated to the last bit: {error}", level="warn")
        self.optimizer.zero_grad(set_to_none=True)
        return self._score(batch, counted, learning=True)

    def _score(self, examples: Sequence[Example], counted: int, *, learning: bool) -> Score:
        """Find the mean loss of examples, every process its share; gradients where learning.

        Every trained token of the whole counts the same, whatever its micro batch and process.
        """
        share = self.processes.share(examples)
        size = self.options.batch_size
        sums = dict.fromkeys(("loss", *self.objective.measures), 0.0)
        for start in range(0, len(share), size):
            micro = share[start : start + size]
            with self.device.computing():
                part = self.objective.part(
                    self.network, micro, self.processes.device, smoothing=learning
                )
            if learning:
                (part.loss / max(counted, 1)).backward()
            for name, value in {"loss": float(part.loss.detach()), **part.sums}.items():
                sums[name] += value
        means = {name: total / max(counted, 1) for name, total in self.processes.add(sums).items()}
        return Score(means.pop("loss"), means)

    def _set_rate(self) -> None:
        factor = rate_factor(self.step, self.total_steps, self.options)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor

    def _report(self, score: Score) -> None:
        data: dict[str, Any] = {
            "step": self.step,
            "total_steps": self.total_steps,
            **score.named("train"),
        }
        words = f"Step {self.step}/{self.total_steps}: training loss={score.loss:.4f}"
        if self.step % self.steps_per_epoch == 0 and self.validation:
            whole = self._validate()
            crash_reasons.refuse_overflow(self.step, whole.loss)
            data.update(whole.named("full_valid"))
            words += f", full validation loss={whole.loss:.4f}"
        if self.processes.is_main_process:
            self.job.event(words, data=data)
            self._report_pace()
        if self.step % self.steps_per_epoch == 0:
            self._checkpoint(data)

    def _report_pace(self) -> None:
        """Say how far the job is: after its first steps, then about twice a second."""
        now = time.monotonic()
        if self.steps_here > _PACE_STEPS and now - self.reported < _REPORT_S:
            return
        self.reported = now
        pace = (now - self.started) / self.steps_here
        left = int(pace * (self.total_steps - self.step))
        self.job.update(
            trained_tokens=self.trained_tokens,
            step=self.step,
            total_steps=self.total_steps,
            estimated_finish=int(time.time()) + left,
        )
        if self.steps_here == _PACE_STEPS < self.total_steps:
            self.job.event(
                f"Measured {pace:.2f} seconds a step; about {duration_words(left)} left."
            )

    def _validate(self) -> Score:
        """Score the whole validation file without touching gradients or the random state."""
        import torch

        self.network.eval()
        counted = sum(example.trained for example in self.validation)
        with torch.no_grad():
            score = self._score(self.validation, counted, learning=False)
        self.network.train()
        return score

    def _checkpoint(self, metrics: dict[str, Any]) -> None:
        loss = metrics.get("full_valid_loss", metrics["train_loss"])
        self.worse_epochs = 0 if loss < self.best else self.worse_epochs + 1
        self.best = min(self.best, loss)
        if not self.processes.is_main_process:
            return
        methods.save(
            self.network, self.job.checkpoints_root / f"step-{self.step}", self.options.added_tokens
        )
        self.job.checkpoint(
            {"step_number": self.step, "metrics": metrics, "created_at": int(time.time())}
        )
        self._save()

    def _ended_early(self) -> bool:
        patience = self.options.patience
        if not patience or self.worse_epochs < patience:
            return False
        if self.processes.is_main_process:
            done = self.step // self.steps_per_epoch
            self.job.event(f"Stopped after epoch {done}: no gain for {counted(patience, 'epoch')}.")
        return True

    def _stop(self, command: str) -> Outcome:
        if command == "pause" and self.processes.is_main_process:
            self._save()
        return Outcome(
            "paused" if command == "pause" else "cancelled", self.step, self.trained_tokens
        )

    def _save(self) -> None:
        progress = {
            "step": self.step,
            "trained_tokens": self.trained_tokens,
            "best": self.best,
            "worse_epochs": self.worse_epochs,
        }
        resuming.save(self.job.resume_root, self.network, self.optimizer, progress)

    def _restore(self) -> None:
        progress = resuming.load(self.job.resume_root, self.network, self.optimizer)
        if progress is None:
            return
        self.step = progress["step"]
        self.trained_tokens = progress["trained_tokens"]
        self.best = progress["best"]
        self.worse_epochs = progress["worse_epochs"]
        if self.processes.is_main_process:
            self.job.event(f"Continued after step {self.step}.")


def rate_factor(step: int, total: int, options: TrainingOptions) -> float:
    """Return the share of the learning rate at a step: a rise during warm-up, then the schedule."""
    import math

    warmup = int(total * options.warmup_ratio)
    if step < warmup:
        return (step + 1) / warmup
    if options.schedule == "constant":
        return 1.0
    left = (total - step) / max(total - warmup, 1)
    return left if options.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * (1 - left)))
