"""What a job is asked for: base model, method and settings, checked against the target's bounds."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from curator.dataset.counted import counted
from curator.dataset.errors import WrongUse
from curator.tune.jobs.graders import check_grader
from curator.tune.targets.profiles import Hyperparameter, Method, Target, Value

TOKEN_KEY: Final = "curator_token"
"""The metadata key by which a job is found again after a time-out."""

_SUFFIX_MOST: Final = 64
_SEED_MOST: Final = 2**31 - 1
_METHOD_NAMES: Final = {"sft": "supervised", "dpo": "dpo", "rft": "reinforcement"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run's choices; settings hold only what was checked."""

    target: Target
    base: str
    method: Method = "sft"
    settings: Mapping[str, Value] = field(default_factory=dict)
    suffix: str = ""
    seed: int | None = None
    grader: Mapping[str, Any] | None = None
    wandb: Mapping[str, Any] | None = None

    def value(self, name: str) -> Value:
        """Return a setting's value, chosen or by default."""
        for setting in self.target.settings(self.method):
            if setting.name == name:
                return self.settings.get(name, setting.default)
        raise KeyError(name)

    def epochs(self) -> int | None:
        """Return the number of epochs, None for "auto"."""
        chosen = self.value("n_epochs")
        return None if isinstance(chosen, (str, bool)) else int(chosen)

    def arguments(self, training_file: str, validation_file: str, token: str) -> dict[str, Any]:
        """Return the arguments of the one call that creates the job."""
        hyperparameters, body, options = self._sorted_settings()
        arguments: dict[str, Any] = {"model": self.base, "training_file": training_file}
        if validation_file:
            arguments["validation_file"] = validation_file
        if self.suffix:
            arguments["suffix"] = self.suffix
        if self.seed is not None:
            arguments["seed"] = self.seed
        if self.wandb is not None:
            arguments["integrations"] = [{"type": "wandb", "wandb": dict(self.wandb)}]
        arguments["metadata"] = {TOKEN_KEY: token}
        if options:
            arguments["metadata"][self.target.options_key] = json.dumps(
                options, separators=(",", ":")
            )
        if self.target.hyper_style == "legacy":
            arguments["hyperparameters"] = hyperparameters
        else:
            arguments["method"] = self._method(hyperparameters)
        extra = {**self.target.extra_body, **body}
        if extra:
            arguments["extra_body"] = extra
        return arguments

    def _method(self, hyperparameters: dict[str, Value]) -> dict[str, Any]:
        name = _METHOD_NAMES[self.method]
        inner: dict[str, Any] = {"hyperparameters": hyperparameters}
        if self.grader is not None:
            inner["grader"] = dict(self.grader)
        return {"type": name, name: inner}

    def _sorted_settings(self) -> tuple[dict[str, Value], dict[str, Value], dict[str, Value]]:
        """Split the settings by their place in the call, each under the field the service reads.

        Options that travel as metadata are sent only where somebody chose them.
        """
        hyperparameters: dict[str, Value] = {}
        body: dict[str, Value] = {}
        options: dict[str, Value] = {}
        rate = self.target.learning_rate
        for setting in self.target.settings(self.method):
            value = self.settings.get(setting.name, setting.default)
            if setting.place == "metadata":
                if value != "auto":
                    options[setting.name] = value
                continue
            place = body if setting.place == "body" else hyperparameters
            place[rate.field if setting.name == rate.name else setting.name] = value
        return hyperparameters, body, options


def make_recipe(
    target: Target,
    base: str,
    *,
    method: str = "",
    settings: Mapping[str, Any] | None = None,
    suffix: str = "",
    seed: int | None = None,
    grader: Mapping[str, Any] | None = None,
    wandb: Mapping[str, Any] | None = None,
) -> Recipe:
    """Return a checked recipe; raises WrongUse that names the setting, its bounds and what was given."""
    chosen = _method_of(target, method)
    if not base.strip():
        raise WrongUse(f"Name the base model to train at {target.label}.")
    if len(suffix) > _SUFFIX_MOST:
        raise WrongUse(
            f"The suffix has {counted(len(suffix), 'character')}; at most {_SUFFIX_MOST} are taken."
        )
    if seed is not None and not 0 <= seed <= _SEED_MOST:
        raise WrongUse(f"The seed must be a whole number from 0 to {_SEED_MOST}.")
    if chosen == "rft" and not grader:
        raise WrongUse("Reinforcement training needs a grader that scores the replies.")
    if chosen != "rft" and grader:
        raise WrongUse("A grader belongs to reinforcement training (rft) and to no other method.")
    known = {setting.name: setting for setting in target.settings(chosen)}
    checked: dict[str, Value] = {}
    for name, given in (settings or {}).items():
        if name not in known:
            raise WrongUse(_unknown_setting(target, name, tuple(known)))
        checked[name] = check_value(known[name], given)
    return Recipe(
        target=target,
        base=base.strip(),
        method=chosen,
        settings=checked,
        suffix=suffix,
        seed=seed,
        grader=check_grader(grader, target.graders) if grader else None,
        wandb=_checked_wandb(target, wandb) if wandb else None,
    )


def _checked_wandb(target: Target, wandb: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Weights & Biases settings a service takes: project, and perhaps name, entity, tags."""
    if not target.wandb:
        raise WrongUse(f"{target.label} sends nothing to Weights & Biases; leave that out.")
    unknown = set(wandb) - {"project", "name", "entity", "tags"}
    if unknown:
        raise WrongUse(f'Weights & Biases has no setting "{sorted(unknown)[0]}" here.')
    if not str(wandb.get("project") or "").strip():
        raise WrongUse("Name the Weights & Biases project that the run shall appear in.")
    return {name: value for name, value in wandb.items() if value}


def check_value(setting: Hyperparameter, given: Any) -> Value:
    """Return a setting's value in its own type; text such as "3" or "true" is read."""
    text = str(given).strip()
    if text.lower() == "auto" and setting.kind != "bool":
        if setting.auto:
            return "auto"
        raise WrongUse(f'{setting.label} ({setting.name}) cannot be "auto" at this target.')
    if setting.kind == "choice":
        if text not in setting.choices:
            raise WrongUse(
                f"{setting.label} ({setting.name}) is one of {', '.join(setting.choices)}; "
                f'"{text}" is not among them.'
            )
        return text
    if setting.kind == "text":
        return text
    if setting.kind == "bool":
        return _truth(setting, text)
    return _number(setting, text)


def _number(setting: Hyperparameter, text: str) -> int | float:
    try:
        number = float(text)
    except ValueError:
        raise WrongUse(
            f'{setting.label} ({setting.name}) must be a number; "{text}" is none.'
        ) from None
    low, high = setting.minimum, setting.maximum
    inside = (low is None or number >= low) and (high is None or number <= high)
    if not math.isfinite(number) or not inside:
        raise WrongUse(
            f"{setting.label} ({setting.name}) is {text}, but must lie between {low:g} and {high:g}."
        )
    if setting.kind == "float":
        return number
    if not number.is_integer():
        raise WrongUse(f"{setting.label} ({setting.name}) must be a whole number, not {text}.")
    return int(number)


def _truth(setting: Hyperparameter, text: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in words:
        raise WrongUse(f'{setting.label} ({setting.name}) is true or false, not "{text}".')
    return words[text.lower()]


def _method_of(target: Target, method: str) -> Method:
    if not method:
        return target.methods[0]
    for known in target.methods:
        if method in (known, _METHOD_NAMES[known]):
            return known
    raise WrongUse(
        f'{target.label} does not train by "{method}"; it offers {", ".join(target.methods)}.'
    )


def _unknown_setting(target: Target, name: str, known: tuple[str, ...]) -> str:
    rate = target.learning_rate
    if name in ("learning_rate", "learning_rate_multiplier"):
        meant = (
            "the rate itself, for example 2e-05"
            if rate.kind == "absolute"
            else "a multiple of its own rate, for example 1.0"
        )
        return (
            f"{target.label} takes {meant}: set {rate.name} ({rate.minimum:g} to {rate.maximum:g}), "
            f"not {name}."
        )
    return f'{target.label} has no setting "{name}"; it has {", ".join(known)}.'
