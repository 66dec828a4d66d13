"""The training loop: steps, validation, checkpoints, and the wishes to pause or cancel."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from curator.tune.local import methods, resuming
from curator.tune.local.encoding import MASKED, Sample
from curator.tune.local.folders import JobFolder
from curator.tune.local.options import TrainingOptions


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: succeeded, paused or cancelled, and after which step."""

    status: str
    step: int
    trained_tokens: int


@dataclass(frozen=True, slots=True)
class Score:
    """Mean loss per trained token and the share of tokens guessed right."""

    loss: float
    accuracy: float


class Loop:
    """One run over a prepared network."""

    def __init__(
        self,
        job: JobFolder,
        network: Any,
        train: Sequence[Sample],
        validation: Sequence[Sample],
        options: TrainingOptions,
    ) -> None:
        import torch
        from accelerate import Accelerator

        self.job = job
        self.options = options
        self.train = train
        self.validation = validation
        torch.manual_seed(options.seed)  # dropout
        self.accelerator = Accelerator(cpu=not torch.cuda.is_available())
        self.optimizer = methods.optimizer(network, options)
        self.rates = [group["lr"] for group in self.optimizer.param_groups]
        self.plain = network
        self.network = self.accelerator.prepare_model(network)
        self.per_step = options.batch_size * options.accumulation
        self.steps_per_epoch = -(-len(train) // self.per_step)
        self.total_steps = self.steps_per_epoch * options.epochs
        self.step = 0
        self.trained_tokens = 0
        self.best = float("inf")
        self.worse_epochs = 0
        self.started = time.monotonic()
        self.steps_here = 0

    def run(self) -> Outcome:
        """Train from the start, or from the saved state where there is one."""
        self._restore()
        self.network.train()
        while self.step < self.total_steps:
            epoch = self.step // self.steps_per_epoch
            for batch in self._batches(epoch):
                wish = self.job.wish()
                if wish in ("pause", "cancel"):
                    return self._stop(wish)
                self._take(batch)
            if self._ended_early(epoch + 1):
                break
        return Outcome("succeeded", self.step, self.trained_tokens)

    def _batches(self, epoch: int) -> Iterator[list[Sample]]:
        """Yield the batches of an epoch that are not done; the order comes from the seed alone."""
        order = list(range(len(self.train)))
        random.Random(f"{self.options.seed}.{epoch}").shuffle(order)
        for start in range(self.step % self.steps_per_epoch, self.steps_per_epoch):
            chosen = order[start * self.per_step : (start + 1) * self.per_step]
            yield [self.train[index] for index in chosen]

    def _take(self, batch: Sequence[Sample]) -> None:
        """Do one update and report it."""
        import torch

        self._set_rate()
        share = batch[self.accelerator.process_index :: self.accelerator.num_processes]
        counted = sum(sample.trained for sample in batch)
        loss_sum, right = 0.0, 0
        size = self.options.batch_size
        for start in range(0, len(share), size):
            loss, hits = self._forward(share[start : start + size], smoothing=True)
            # Every trained token of the whole step weighs the same, whatever its micro batch.
            scaled = loss * (self.accelerator.num_processes / counted)
            self.accelerator.backward(scaled)
            loss_sum += float(loss.detach())
            right += hits
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.options.max_gradient)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.steps_here += 1
        self.trained_tokens += sum(len(sample.ids) for sample in batch)
        self._report(Score(loss_sum / max(counted, 1), right / max(counted, 1)))

    def _forward(self, samples: Sequence[Sample], *, smoothing: bool) -> tuple[Any, int]:
        """Return the summed loss over trained tokens and how many were guessed right."""
        import torch

        device = self.accelerator.device
        longest = max(len(sample.ids) for sample in samples)
        ids = torch.zeros((len(samples), longest), dtype=torch.long)
        labels = torch.full((len(samples), longest), MASKED, dtype=torch.long)
        attention = torch.zeros((len(samples), longest), dtype=torch.long)
        for row, sample in enumerate(samples):
            length = len(sample.ids)
            ids[row, :length] = torch.tensor(sample.ids)
            labels[row, :length] = torch.tensor(sample.labels)
            attention[row, :length] = 1
        logits = self.network(input_ids=ids.to(device), attention_mask=attention.to(device)).logits
        # A soft prompt answers for its own virtual tokens first.
        logits = logits[:, logits.shape[1] - longest :][:, :-1].float()
        wanted = labels[:, 1:].to(device)
        loss = torch.nn.functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]),
            wanted.reshape(-1),
            ignore_index=MASKED,
            reduction="sum",
            label_smoothing=self.options.label_smoothing if smoothing else 0.0,
        )
        hits = int(((logits.detach().argmax(-1) == wanted) & (wanted != MASKED)).sum())
        return loss, hits

    def _set_rate(self) -> None:
        factor = rate_factor(self.step, self.total_steps, self.options)
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor

    def _report(self, score: Score) -> None:
        if not self.accelerator.is_main_process:
            return
        data: dict[str, Any] = {
            "step": self.step,
            "total_steps": self.total_steps,
            "train_loss": round(score.loss, 6),
            "train_mean_token_accuracy": round(score.accuracy, 6),
        }
        words = f"Step {self.step}/{self.total_steps}: training loss={score.loss:.4f}"
        if self.step % self.steps_per_epoch == 0 and self.validation:
            whole = self._validate()
            data["full_valid_loss"] = round(whole.loss, 6)
            data["full_valid_mean_token_accuracy"] = round(whole.accuracy, 6)
            words += f", full validation loss={whole.loss:.4f}"
        self.job.event(words, data=data)
        pace = (time.monotonic() - self.started) / self.steps_here
        left = int(pace * (self.total_steps - self.step))
        self.job.update(
            trained_tokens=self.trained_tokens,
            step=self.step,
            total_steps=self.total_steps,
            estimated_finish=int(time.time()) + left,
        )
        if self.step % self.steps_per_epoch == 0:
            self._checkpoint(data)

    def _validate(self) -> Score:
        """Score the whole validation file without touching gradients or the random state."""
        import torch

        self.network.eval()
        loss_sum, right, counted = 0.0, 0, 0
        with torch.no_grad():
            for start in range(0, len(self.validation), self.options.batch_size):
                samples = self.validation[start : start + self.options.batch_size]
                loss, hits = self._forward(samples, smoothing=False)
                loss_sum += float(loss)
                right += hits
                counted += sum(sample.trained for sample in samples)
        self.network.train()
        return Score(loss_sum / max(counted, 1), right / max(counted, 1))

    def _checkpoint(self, metrics: dict[str, Any]) -> None:
        methods.save(self.plain, self.job.checkpoints_root / f"step-{self.step}")
        self.job.checkpoint(
            {"step_number": self.step, "metrics": metrics, "created_at": int(time.time())}
        )
        loss = metrics.get("full_valid_loss", metrics["train_loss"])
        self.worse_epochs = 0 if loss < self.best else self.worse_epochs + 1
        self.best = min(self.best, loss)
        self._save()

    def _ended_early(self, epochs: int) -> bool:
        patience = self.options.patience
        if not patience or self.worse_epochs < patience:
            return False
        self.job.event(f"Stopped after epoch {epochs}: no gain for {patience} epochs.")
        return True

    def _stop(self, wish: str) -> Outcome:
        if wish == "pause":
            self._save()
        return Outcome("paused" if wish == "pause" else "cancelled", self.step, self.trained_tokens)

    def _save(self) -> None:
        progress = {
            "step": self.step,
            "trained_tokens": self.trained_tokens,
            "best": self.best,
            "worse_epochs": self.worse_epochs,
        }
        resuming.save(self.job.resume_root, self.plain, self.optimizer, progress)

    def _restore(self) -> None:
        progress = resuming.load(self.job.resume_root, self.plain, self.optimizer)
        if progress is None:
            return
        self.step = progress["step"]
        self.trained_tokens = progress["trained_tokens"]
        self.best = progress["best"]
        self.worse_epochs = progress["worse_epochs"]
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
