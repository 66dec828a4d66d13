"""What a batch's loss is: the tokens to learn, or which of two answers is preferred."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from curator.tune.local.options import TrainingOptions
from curator.tune.local.trainer.encoding import MASKED, Sample
from curator.tune.local.trainer.examples import Example, Pair


@dataclass(frozen=True, slots=True)
class Part:
    """The summed loss over a micro batch, and sums of what else was measured."""

    loss: Any
    sums: dict[str, float]


class Objective(Protocol):
    """How a loss is found; the names of its measures are the same for every batch."""

    @property
    def measures(self) -> tuple[str, ...]:
        """Return the names of what is measured besides the loss."""

    def part(self, network: Any, batch: Sequence[Example], device: Any, *, smoothing: bool) -> Part:
        """Return the summed loss of a micro batch."""


def objective_for(options: TrainingOptions) -> Objective:
    """Return the objective the options name."""
    if options.objective == "preference":
        return Preferences(options.beta)
    return Tokens(options.label_smoothing)


def logits_and_labels(network: Any, samples: Sequence[Sample], device: Any) -> tuple[Any, Any]:
    """Return what the network guesses at each position and what was wanted there, shifted by one."""
    import torch

    longest = max(len(sample.ids) for sample in samples)
    ids = torch.zeros((len(samples), longest), dtype=torch.long)
    labels = torch.full((len(samples), longest), MASKED, dtype=torch.long)
    attention = torch.zeros((len(samples), longest), dtype=torch.long)
    for row, sample in enumerate(samples):
        length = len(sample.ids)
        ids[row, :length] = torch.tensor(sample.ids)
        labels[row, :length] = torch.tensor(sample.labels)
        attention[row, :length] = 1
    logits = network(input_ids=ids.to(device), attention_mask=attention.to(device)).logits
    # A soft prompt answers for its own virtual tokens first.
    logits = logits[:, logits.shape[1] - longest :][:, :-1].float()
    return logits, labels[:, 1:].to(device)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Cross-entropy over the trained tokens."""

    label_smoothing: float
    measures: tuple[str, ...] = ("mean_token_accuracy",)

    def part(self, network: Any, batch: Sequence[Example], device: Any, *, smoothing: bool) -> Part:
        """Return the loss summed over trained tokens and how many were guessed right."""
        import torch

        samples = [example for example in batch if isinstance(example, Sample)]
        logits, wanted = logits_and_labels(network, samples, device)
        loss = torch.nn.functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]),
            wanted.reshape(-1),
            ignore_index=MASKED,
            reduction="sum",
            label_smoothing=self.label_smoothing if smoothing else 0.0,
        )
        hits = int(((logits.detach().argmax(-1) == wanted) & (wanted != MASKED)).sum())
        return Part(loss, {"mean_token_accuracy": hits})


@dataclass(frozen=True, slots=True)
class Preferences:
    """Direct preference optimisation (Rafailov et al. 2023): the reference is the adapter switched off."""

    beta: float
    measures: tuple[str, ...] = ("preference_accuracy", "preference_margin")
    _references: dict[Pair, float] = field(default_factory=dict)

    def part(self, network: Any, batch: Sequence[Example], device: Any, *, smoothing: bool) -> Part:  # noqa: ARG002
        """Return the loss summed over pairs, how many are preferred rightly and by how much."""
        import torch

        pairs = [example for example in batch if isinstance(example, Pair)]
        known = torch.tensor([self._reference(network, pair, device) for pair in pairs])
        samples = [pair.preferred for pair in pairs] + [pair.other for pair in pairs]
        logprobs = _sequence_logprobs(network, samples, device)
        margins = self.beta * (
            logprobs[: len(pairs)] - logprobs[len(pairs) :] - known.to(logprobs.device)
        )
        loss = -torch.nn.functional.logsigmoid(margins).sum()
        found = margins.detach()
        return Part(
            loss,
            {
                "preference_accuracy": int((found > 0).sum()),
                "preference_margin": float(found.sum()),
            },
        )

    def _reference(self, network: Any, pair: Pair, device: Any) -> float:
        """Return how much likelier the base itself finds the preferred answer; found once a pair.

        A pair is always looked at alone: the number must not depend on who shares its batch.
        """
        import torch

        if pair not in self._references:
            learning = network.training
            network.eval()
            with torch.no_grad(), network.disable_adapter():
                first, second = _sequence_logprobs(network, [pair.preferred, pair.other], device)
            network.train(learning)
            self._references[pair] = float(first - second)
        return self._references[pair]


def _sequence_logprobs(network: Any, samples: Sequence[Sample], device: Any) -> Any:
    """Return for each sample the log probability of its trained tokens together."""
    import torch

    logits, wanted = logits_and_labels(network, samples, device)
    # Flat: the loss over rows of rows has no repeatable form on a card.
    losses = torch.nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]),
        wanted.reshape(-1),
        ignore_index=MASKED,
        reduction="none",
    )
    return -losses.view(wanted.shape).sum(1)
