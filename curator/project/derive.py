"""The derived columns of one edited conversation, by the same kernel that imports run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from curator.dataset import Conversation
from curator.dataset.json_values import Json

if TYPE_CHECKING:
    from curator.curate.kernel import Row

DEFAULT_BASE_MODEL: Final = "gpt-4.1-mini"
DEFAULT_RULES_PROFILE: Final = "openai_sft"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the derived columns depend on besides the content: how tokens count, which rules hold."""

    encoding: str
    profile: str
    limit: int | None


def terms_of(base_model: Json, rules_profile: Json) -> Terms:
    """Return the terms that a project's settings mean."""
    from curator.curate.tokens import resolve_base_model  # loads vocabularies, so only when wanted

    facts = resolve_base_model(str(base_model or DEFAULT_BASE_MODEL))
    return Terms(facts.encoding, str(rules_profile or DEFAULT_RULES_PROFILE), facts.context_limit)


def derive(conversation: Conversation, terms: Terms) -> "Row":
    """Return the kernel's row of one conversation."""
    from curator.curate.kernel import (
        analyse_conversation,
    )  # loads vocabularies, so only when wanted

    return analyse_conversation(
        conversation, encoding=terms.encoding, profile=terms.profile, limit=terms.limit
    )
