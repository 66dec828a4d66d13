"""The rules as data: what each says, how grave it is for which target, and how it can be fixed."""

import json
import re
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from curator.dataset.finding import Severity
from curator.dataset.resources import resource

Scope = Literal["file", "conversation", "message", "dataset", "job"]


class Fix(BaseModel):
    """A fix: safe ones may run in bulk, the others need a look."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    label: str
    safe: bool = False


class Source(BaseModel):
    """Where a rule comes from and when that was looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    tag: str
    ref: str
    checked_on: str


class TextKind(BaseModel):
    """One kind of text that a rule finds by its form: a secret, personal data or a control token.

    One entry here is all that a new kind takes; every way of looking for it is made of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    pattern: str = Field(description="what such a text looks like: a pattern of ASCII classes")
    signs: tuple[str, ...] = Field(
        (),
        description="one of these stands in every match; none for what has eight figures",
    )
    after_sign: str = Field(
        "", description="what follows the sign in every match, in UTF-8; spares a closer look"
    )
    stand_in: str = Field("", description="what is put in its place")
    proof: Literal["mail", "iban", "card", "phone"] | None = None

    @model_validator(mode="after")
    def _signs_can_be_found(self) -> "TextKind":
        """Refuse a sign that JSON writes otherwise: it would never be found in a line."""
        for sign in self.signs:
            if json.dumps(sign, ensure_ascii=False) != f'"{sign}"' or not sign:
                raise ValueError(f"{self.name}: the sign {sign!r} is not written as it is in JSON.")
        for pattern in (self.pattern, self.after_sign):
            re.compile(pattern)
        return self


class Rule(BaseModel):
    """One rule of the rule pack (resources/rules/*.json)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    severity: Severity
    scope: Scope
    title: str
    message: str = Field(description="str.format text; the check fills the names in")
    message_one: str = Field("", description="the same where count is 1 and the words differ")
    why: str
    fix: Fix | None = None
    profiles: tuple[str, ...] = ("*",)
    severity_by_profile: dict[str, Severity] = {}
    limits: dict[str, int] = Field({}, description="the bound the rule tests, by profile; * is any")
    kinds: tuple[TextKind, ...] = Field((), description="the kinds of text that the rule looks for")
    provider_texts: tuple[str, ...] = ()
    source: Source

    def severity_for(self, profile: str) -> Severity | None:
        """Return how grave the rule is for a rules profile; None where it does not apply."""
        if profile in self.severity_by_profile:
            return self.severity_by_profile[profile]
        return self.severity if "*" in self.profiles or profile in self.profiles else None

    def sentence(self, **values: object) -> str:
        """Return the rule's message with its names filled in."""
        is_one = values.get("count") == 1 and self.message_one
        return (self.message_one if is_one else self.message).format(**values)

    def limit_for(self, profile: str) -> int:
        """Return the bound the rule tests for a rules profile."""
        return self.limits.get(profile, self.limits.get("*", 0))


@cache
def load_rules() -> dict[str, Rule]:
    """Return every shipped rule by id."""
    rules: dict[str, Rule] = {}
    for path in sorted(p for p in resource("rules").glob("*.json") if p.name != "pack.json"):
        for entry in json.loads(path.read_text("utf-8"))["rules"]:
            rule = Rule.model_validate(entry)
            rules[rule.id] = rule
    return rules


def rule_pack_version() -> str:
    """Return the version of the shipped rule pack; it changes when any rule's effect changes."""
    return str(json.loads(resource("rules", "pack.json").read_text("utf-8"))["version"])
