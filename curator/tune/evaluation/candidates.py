"""Who is evaluated: a name of one's own for a model at a target, or for a prompt variant on one."""

from collections.abc import Sequence
from dataclasses import dataclass

from curator.dataset.errors import WrongUse
from curator.dataset.json_values import Json
from curator.dataset.label import plain_name
from curator.tune.evaluation.items import Prompt
from curator.tune.evaluation.prompt_variants import PREFIX, PromptVariant, find_variant
from curator.tune.targets.profiles import Target, find_target


@dataclass(frozen=True, slots=True)
class RunCandidate:
    """One candidate of a run; model is what its target knows it by, or prompt:VARIANT."""

    name: str
    target: str
    model: str

    @classmethod
    def parse(cls, text: str) -> "RunCandidate":
        """Read NAME=TARGET/MODEL, TARGET/MODEL or NAME=prompt:VARIANT; raises WrongUse."""
        name, equals, place = text.partition("=")
        if not equals or "/" in name:
            name, place = "", text
        place = place.strip()
        if place.startswith(PREFIX):
            variant = find_variant(place)
            return cls(plain_name(name) or variant.name, variant.target, PREFIX + variant.name)
        target, slash, model = place.partition("/")
        if not slash or not target.strip() or not model.strip():
            raise WrongUse(
                f'"{text}" names no candidate. Write NAME=TARGET/MODEL, such as '
                "base=this-computer/tiny, or NAME=prompt:VARIANT."
            )
        model = model.strip()
        find_target(target.strip())
        if model.startswith(PREFIX):
            find_variant(model)
        return cls(plain_name(name) or model, target.strip(), model)

    @classmethod
    def from_json(cls, entry: Json) -> "RunCandidate":
        """Read what to_json gave."""
        return cls(str(entry["name"]), str(entry["target"]), str(entry["model"]))

    def to_json(self) -> dict[str, Json]:
        """Return the candidate as a JSON object."""
        return {"name": self.name, "target": self.target, "model": self.model}

    def find_target(self) -> Target:
        """Return its target; raises WrongUse where there is none of that name any more."""
        return find_target(self.target)

    def variant(self) -> PromptVariant | None:
        """Return its prompt variant, None for a plain model; raises WrongUse where it is gone."""
        return find_variant(self.model) if self.model.startswith(PREFIX) else None


def check_names(candidates: Sequence[RunCandidate]) -> None:
    """Raise WrongUse where there is no candidate, or two have one name."""
    if not candidates:
        raise WrongUse("Name whom to ask: --candidate NAME=TARGET/MODEL, once or several times.")
    names = [each.name for each in candidates]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise WrongUse(f'Two candidates are called "{twice}". Give each a name of its own.')


def sent_prompt(variant: PromptVariant | None, prompt: Prompt) -> Prompt:
    """Return what is really sent for a prompt: with a variant, its own words first."""
    return prompt if variant is None else Prompt(variant.messages(prompt.messages), prompt.tools)
