"""A task head on a frozen base: the answer is one of the labels the training file shows.

Features are the mean-pooled hidden states of evenly spaced layers, computed once and kept beside the
job; the head over them is one linear layer, trained in seconds. The last message's text is the
label; what stands before it is the text to classify. System prompts are read before the text, but
the features are those of the text.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from curator.dataset.counted import counted
from curator.dataset.small_files import make_folder
from curator.tune.local import crash_reasons
from curator.tune.local.job_folders import HEAD_FILE, JobFolder, read_json, write_json
from curator.tune.local.options import TrainingOptions
from curator.tune.local.trainer.loop import Outcome, rate_factor
from curator.tune.local.trainer.template_messages import TemplateRefused, template_input
from curator.tune.local.trainer.token_ids import plain_ids

DESCRIPTION: Final = "head.json"
MOST_TOKENS: Final = 4096
"""How much of a text is read when a head is asked."""

_LAYERS: Final = 6
_BATCH: Final = 32


@dataclass(frozen=True, slots=True)
class Example:
    """A text, what is read before it, and its label."""

    text: str
    label: str
    given: str = ""

    def ids(self, tokenizer: Any, max_tokens: int) -> tuple[list[int], int, int]:
        """Return the ids that are read, how many of them are the text's, and how many were cut off."""
        text = plain_ids(tokenizer, self.text) if self.text else []
        # An empty text has no token to pool over; the end token stands in.
        kept = text[:max_tokens] or [tokenizer.eos_token_id]
        given = plain_ids(tokenizer, f"{self.given}\n") if self.given else []
        # What is too long loses the beginning of what is read before it, then its own end.
        cut = min(len(given), max(0, len(given) + len(kept) - max_tokens))
        lost = cut + max(0, len(text) - max_tokens)
        return [*given[cut:], *kept], len(kept), lost


def example_of(record: Mapping[str, Any]) -> Example:
    """Return the text and label of a training line.

    Raises TemplateRefused where a head cannot read all of it, or where its last message is no label.
    """
    inputs = template_input(record)
    *before, last = inputs.messages or ({"role": "", "content": ""},)
    if last["role"] != "assistant" or not last["content"].strip():
        raise TemplateRefused("a head learns from lines whose last message is an assistant's label")
    if inputs.tools or any("tool_calls" in message for message in inputs.messages):
        raise TemplateRefused("a head reads texts only, no tools and no calls")
    given, text = texts_of(before)
    return Example(text, last["content"].strip(), given)


def asked_of(messages: Sequence[Mapping[str, Any]]) -> Example:
    """Return what a request asks a head to classify; raises TemplateRefused where it cannot be read."""
    given, text = texts_of(template_input({"messages": list(messages)}).messages)
    return Example(text, "", given)


def texts_of(messages: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return the system prompts and the text a head classifies, one message a line."""
    parts: dict[bool, list[str]] = {True: [], False: []}
    for message in messages:
        name = f"{message['name']}: " if message.get("name") else ""
        parts[message["role"] == "system"].append(name + message["content"])
    return "\n".join(parts[True]), "\n".join(parts[False])


def features(
    network: Any,
    tokenizer: Any,
    texts: Sequence[Example],
    max_tokens: int,
    report: Callable[[int], None],
) -> Any:
    """Return one row per text: the mean hidden state of each of six layers, side by side."""
    import torch

    order = sorted(range(len(texts)), key=lambda n: len(texts[n].given) + len(texts[n].text))
    rows: list[Any] = [None] * len(texts)
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        ids, own, _ = zip(*(texts[i].ids(tokenizer, max_tokens) for i in chosen), strict=True)
        longest = max(map(len, ids))
        given = torch.zeros((len(ids), longest), dtype=torch.long)
        mask, attention = torch.zeros((2, len(ids), longest))
        for row, tokens in enumerate(ids):
            given[row, : len(tokens)] = torch.tensor(tokens)
            attention[row, : len(tokens)] = 1
            mask[row, len(tokens) - own[row] : len(tokens)] = 1
        with torch.no_grad():
            states = network.base_model(
                input_ids=given.to(network.device),
                attention_mask=attention.to(network.device),
                output_hidden_states=True,
            ).hidden_states
        pooled = [
            (states[layer].float().cpu() * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
            for layer in _chosen_layers(len(states) - 1)
        ]
        for index, row in zip(chosen, torch.cat(pooled, 1), strict=True):
            rows[index] = row
        report(start + len(chosen))
    return torch.stack(rows)


def _chosen_layers(layers: int) -> list[int]:
    """Return up to six layers, evenly spaced, the last one among them."""
    wanted = min(_LAYERS, layers)
    return [round(layers * (n + 1) / wanted) for n in range(wanted)]


class HeadRun:
    """One head over cached features: training, validation, and the checkpoint at the end."""

    def __init__(
        self, job: JobFolder, network: Any, tokenizer: Any, options: TrainingOptions
    ) -> None:
        self.job = job
        self.network = network.eval()
        self.tokenizer = tokenizer
        self.options = options

    def run(self, train: Sequence[Example], validation: Sequence[Example]) -> Outcome:
        """Train to the end, or to the command to stop; a head is quick, so it starts over after a pause."""
        import torch

        torch.manual_seed(self.options.seed)
        labels = sorted({example.label for example in train})
        inputs = self._cached(train, "training")
        mean, spread = inputs.mean(0), inputs.std(0, unbiased=False) + 1e-6
        inputs = (inputs - mean) / spread
        targets = torch.tensor([labels.index(example.label) for example in train])
        known = [example for example in validation if example.label in set(labels)]
        if len(known) < len(validation):
            self.job.event(
                f"{counted(len(validation) - len(known), 'validation text')} left out: no training text "
                "has such a label.",
                level="warn",
            )
        checked = (self._cached(known, "validation") - mean) / spread if known else None
        truth = torch.tensor([labels.index(example.label) for example in known])
        head = torch.nn.Linear(inputs.shape[1], len(labels))
        return self._epochs(head, (inputs, targets), (checked, truth), (mean, spread), labels)

    def _epochs(
        self,
        head: Any,
        train: tuple[Any, Any],
        checked: tuple[Any, Any],
        scale: tuple[Any, Any],
        labels: list[str],
    ) -> Outcome:
        import torch

        from curator.tune.local.weights import methods

        inputs, targets = train
        size = self.options.batch_size
        per_epoch = -(-len(inputs) // size)
        total = per_epoch * self.options.epochs
        optimizer = methods.optimizer(head, self.options)
        step = 0
        for _ in range(self.options.epochs):
            loss_sum, right = 0.0, 0
            order = torch.randperm(len(inputs))
            for start in range(0, len(inputs), size):
                for group in optimizer.param_groups:
                    group["lr"] = self.options.learning_rate * rate_factor(
                        step, total, self.options
                    )
                chosen = order[start : start + size]
                dropped = torch.nn.functional.dropout(inputs[chosen], self.options.dropout)
                scores = head(dropped)
                loss = torch.nn.functional.cross_entropy(
                    scores, targets[chosen], label_smoothing=self.options.label_smoothing
                )
                optimizer.zero_grad()
                loss.backward()
                crash_reasons.refuse_overflow(step + 1, float(loss.detach()))
                optimizer.step()
                step += 1
                loss_sum += float(loss.detach()) * len(chosen)
                right += int((scores.detach().argmax(1) == targets[chosen]).sum())
            if self.job.command() in ("pause", "cancel"):
                return Outcome("paused" if self.job.command() == "pause" else "cancelled", step, 0)
            metrics = self._report(
                step, total, loss_sum / len(inputs), right / len(inputs), head, checked
            )
        folder = self.job.checkpoints_root / f"step-{step}"
        save(folder, head, scale, labels, len(inputs))
        self.job.checkpoint(
            {"step_number": step, "metrics": metrics, "created_at": int(time.time())}
        )
        return Outcome("succeeded", step, len(inputs) * self.options.epochs)

    def _report(
        self,
        step: int,
        total: int,
        loss: float,
        accuracy: float,
        head: Any,
        checked: tuple[Any, Any],
    ) -> dict[str, Any]:
        import torch

        data: dict[str, Any] = {
            "step": step,
            "total_steps": total,
            "train_loss": round(loss, 6),
            "train_mean_token_accuracy": round(accuracy, 6),
        }
        words = f"Step {step}/{total}: training loss={loss:.4f}"
        if checked[0] is not None:
            with torch.no_grad():
                scores = head(checked[0])
            data["full_valid_loss"] = round(
                float(torch.nn.functional.cross_entropy(scores, checked[1])), 6
            )
            hits = (scores.argmax(1) == checked[1]).float().mean()
            data["full_valid_mean_token_accuracy"] = round(float(hits), 6)
            words += f", full validation loss={data['full_valid_loss']:.4f}"
        self.job.event(words, data=data)
        self.job.update(step=step, total_steps=total)
        return data

    def _cached(self, examples: Sequence[Example], what: str) -> Any:
        """Return the features, computed once for these texts and this base."""
        from safetensors.torch import load_file, save_file

        texts = [(example.given, example.text, self.options.max_tokens) for example in examples]
        digest = hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:32]
        self._tell_cuts(examples, what)
        place = self.job.file(self.job.spec["base_folder"]) / "features" / f"{digest}.safetensors"
        if place.is_file():
            self.job.event(f"The {what} features were computed before.")
            return load_file(place)["features"]
        self.job.event(f"Reading {counted(len(texts), f'{what} text')} once with the frozen base.")
        started = time.monotonic()

        def report(done: int) -> None:
            pace = (time.monotonic() - started) / done
            self.job.update(estimated_finish=int(time.time() + pace * (len(texts) - done)))

        found = features(self.network, self.tokenizer, examples, self.options.max_tokens, report)
        make_folder(place.parent)
        save_file({"features": found}, place)
        return found

    def _tell_cuts(self, examples: Sequence[Example], what: str) -> None:
        limit = self.options.max_tokens
        cut = sum(example.ids(self.tokenizer, limit)[2] > 0 for example in examples)
        if cut:
            self.job.event(
                f"{counted(cut, f'{what} text')} cut at {counted(limit, 'token')}.", level="warn"
            )


def save(folder: Path, head: Any, scale: tuple[Any, Any], labels: list[str], examples: int) -> None:
    """Write the head, its scaling and its labels."""
    from safetensors.torch import save_file

    make_folder(folder)
    weights = {
        "weight": head.weight.detach(),
        "bias": head.bias.detach(),
        "mean": scale[0],
        "spread": scale[1],
    }
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, folder / HEAD_FILE)
    write_json(folder / DESCRIPTION, {"labels": labels, "examples": examples})


def classify(network: Any, tokenizer: Any, folder: Path, asked: Example) -> list[tuple[str, float]]:
    """Return the labels with their log probabilities, the likeliest first."""
    import torch
    from safetensors.torch import load_file

    weights = load_file(folder / HEAD_FILE)
    labels = read_json(folder / DESCRIPTION, {"labels": list})["labels"]
    row = features(network, tokenizer, [asked], MOST_TOKENS, lambda _: None)[0]
    scores = weights["weight"] @ ((row - weights["mean"]) / weights["spread"]) + weights["bias"]
    found = torch.log_softmax(scores, 0).tolist()
    return sorted(zip(labels, found, strict=True), key=lambda pair: -pair[1])
