"""How a local job trains: the OpenAI hyperparameters plus our own, with bounds and plain-word help."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, Literal, get_args, get_origin

Method = Literal["lora", "full", "prompt", "head"]
Optimizer = Literal["adamw", "adagrad", "sgd", "adafactor"]

METADATA_KEY: Final = "curator.options"
"""The metadata key under which options beyond OpenAI's travel, as one compact JSON object."""


class BadOption(ValueError):
    """An option is unknown or out of bounds; param names it as the OpenAI error does."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


def _option(
    default: Any, help_text: str, low: float | None = None, high: float | None = None
) -> Any:
    return field(default=default, metadata={"help": help_text, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """One complete set of choices; every field carries its help text and bounds."""

    method: Method = _option(
        "lora",
        "What is trained: a small adapter, everything, a prompt, or a head that names a label.",
    )
    epochs: int = _option(3, "How many times the model sees every conversation.", 1, 50)
    batch_size: int = _option(4, "Conversations per step.", 1, 256)
    accumulation: int = _option(1, "Steps whose gradients are added up before one update.", 1, 256)
    learning_rate: float = _option(1e-3, "How far each update moves the weights.", 1e-8, 1.0)
    schedule: Literal["linear", "cosine", "constant"] = _option("linear", "How the rate falls.")
    warmup_ratio: float = _option(0.05, "The share of steps in which the rate rises.", 0.0, 0.5)
    optimizer: Optimizer = _option("adamw", "The update rule.")
    weight_decay: float = _option(0.0, "Pulls weights towards zero; against overfitting.", 0.0, 1.0)
    dropout: float = _option(
        0.0, "Share of adapter or head inputs switched off at random.", 0.0, 0.9
    )
    label_smoothing: float = _option(0.0, "Takes some certainty from every target token.", 0.0, 0.5)
    max_gradient: float = _option(1.0, "Longest allowed gradient.", 0.01, 100.0)
    max_tokens: int = _option(
        1024, "Longest conversation; longer ones are cut at the end.", 16, 131_072
    )
    rank: int = _option(8, "Size of the adapter.", 1, 512)
    alpha: int = _option(16, "Strength of the adapter.", 1, 1024)
    layer_decay: float = _option(0.9, "Each deeper layer learns this much slower.", 0.1, 1.0)
    virtual_tokens: int = _option(20, "Length of the trained prompt.", 1, 512)
    patience: int = _option(0, "Stop after this many epochs without gain; 0 never.", 0, 50)
    checkpointing: bool = _option(
        default=False, help_text="Saves memory, costs about a quarter more time."
    )
    seed: int = _option(7, "Fixes the order of the data and every random choice.", 0, 2**31 - 1)

    def to_json(self) -> dict[str, Any]:
        """Return the options as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "TrainingOptions":
        """Read back what to_json wrote."""
        return cls().with_values(value)

    def with_values(self, values: Mapping[str, Any]) -> "TrainingOptions":
        """Return a copy with some values changed; raises BadOption for what is unknown or out of bounds."""
        known = {f.name: f for f in fields(self)}
        checked: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known:
                raise BadOption(name, f"There is no training option {name!r}.")
            checked[name] = _checked(name, value, getattr(self, name), known[name])
        return replace(self, **checked)


def _checked(name: str, value: Any, current: Any, spec: Any) -> Any:
    choices = get_args(spec.type) if get_origin(spec.type) is Literal else ()
    if choices and value not in choices:
        raise BadOption(
            name, f"{name} must be one of {', '.join(map(str, choices))}, not {value!r}."
        )
    if isinstance(current, bool):
        if not isinstance(value, bool):
            raise BadOption(name, f"{name} must be true or false, not {value!r}.")
        return value
    if isinstance(current, (int, float)):
        return _number(name, value, type(current), spec.metadata)
    return value


def _number(name: str, value: Any, kind: type, bounds: Mapping[str, Any]) -> Any:
    try:
        number = kind(value)
    except (TypeError, ValueError):
        raise BadOption(name, f"{name} must be a number, not {value!r}.") from None
    if isinstance(value, bool) or number != float(value):
        raise BadOption(name, f"{name} must be a whole number, not {value!r}.")
    if not bounds["low"] <= number <= bounds["high"]:
        raise BadOption(
            name, f"{name} must lie between {bounds['low']} and {bounds['high']}, not {value}."
        )
    return number


def defaults_for(method: Method, *, tiny: bool) -> TrainingOptions:
    """Return the settings that proved good for a method on a small base."""
    by_method: dict[Method, dict[str, Any]] = {
        "lora": {"learning_rate": 1e-3},
        "full": {"learning_rate": 5e-5, "weight_decay": 0.01, "warmup_ratio": 0.1},
        "prompt": {"learning_rate": 3e-2, "epochs": 5},
        # Macro F1 0.917 on banking77 with the practice base; the wide features want much dropout.
        "head": {
            "epochs": 30,
            "batch_size": 64,
            "dropout": 0.7,
            "label_smoothing": 0.1,
            "weight_decay": 0.1,
        },
    }
    chosen = TrainingOptions(method=method).with_values(by_method[method])
    if tiny and method in ("lora", "full"):
        # The tiny base starts from random weights: it learns only with long, large steps.
        chosen = replace(
            chosen, learning_rate=6e-3, epochs=30, layer_decay=1.0, batch_size=8, warmup_ratio=0.02
        )
    return chosen


def resolve(request: Mapping[str, Any], *, tiny: bool) -> TrainingOptions:
    """Turn a job request (method or legacy hyperparameters, metadata, seed) into options.

    "auto" and absent values take the defaults of the method. Raises BadOption.
    """
    metadata = request.get("metadata") or {}
    try:
        own = json.loads(metadata.get(METADATA_KEY, "{}"))
    except ValueError as error:
        raise BadOption("metadata", f"{METADATA_KEY} is not a JSON object: {error}.") from error
    kind = (request.get("method") or {}).get("type", "supervised")
    if kind != "supervised":
        raise BadOption("method", f"This computer has no method {kind!r}; it has supervised.")
    # The tiny base has random weights: an adapter on them has nothing to adapt.
    usual: Method = "full" if tiny else "lora"
    method: Method = own.get("method", usual)
    if method not in get_args(Method):
        raise BadOption("method", f"There is no training method {method!r}.")
    options = defaults_for(method, tiny=tiny)
    hyper = dict(request.get("hyperparameters") or {})
    hyper.update(((request.get("method") or {}).get(kind) or {}).get("hyperparameters") or {})
    values: dict[str, Any] = {}
    for theirs, ours in (("n_epochs", "epochs"), ("batch_size", "batch_size")):
        if hyper.get(theirs, "auto") not in ("auto", None):
            values[ours] = hyper[theirs]
    multiplier = hyper.get("learning_rate_multiplier", "auto")
    if multiplier not in ("auto", None):
        values["learning_rate"] = options.learning_rate * _number(
            "learning_rate_multiplier", multiplier, float, {"low": 1e-4, "high": 100.0}
        )
    if request.get("seed") is not None:
        values["seed"] = request["seed"]
    values.update({name: value for name, value in own.items() if name != "method"})
    return options.with_values(values)
