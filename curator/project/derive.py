"""The derived columns of one edited conversation, by the same kernel that imports run."""

from dataclasses import dataclass
from typing import Any, Final

from curator.dataset import Conversation
from curator.dataset.json_values import Json

DEFAULT_BASE_MODEL: Final = "gpt-4.1-mini"
DEFAULT_RULES_PROFILE: Final = "openai_sft"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the derived columns depend on besides the content: how tokens count and which rules hold."""

    encoding: str
    profile: str
    limit: int | None


def terms_of(base_model: Json, rules_profile: Json) -> Terms:
    """Return the terms that a project's settings mean."""
    try:
        from curator.curate.tokens import resolve_base_model
    except ImportError:
        return Terms("o200k_base", DEFAULT_RULES_PROFILE, None)
    facts = resolve_base_model(str(base_model or DEFAULT_BASE_MODEL))
    return Terms(facts.encoding, str(rules_profile or DEFAULT_RULES_PROFILE), facts.context_limit)


def derive(conversation: Conversation, terms: Terms) -> Any:
    """Return the kernel's row of one conversation."""
    try:
        from curator.curate.kernel import analyse_conversation
    except ImportError:
        return _plain_row(conversation)
    return analyse_conversation(
        conversation, encoding=terms.encoding, profile=terms.profile, limit=terms.limit
    )


def _plain_row(conversation: Conversation) -> Any:
    import hashlib
    from types import SimpleNamespace

    def hashed(text: str) -> int:
        return int.from_bytes(
            hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big", signed=True
        )

    words = sum(len(m.text.split()) + 4 for m in conversation.messages)
    return SimpleNamespace(
        title=conversation.title,
        content_hash=hashed(conversation.canonical()),
        prompt_hash=hashed(conversation.title),
        system_hash=0,
        n_messages=len(conversation.messages),
        n_turns=sum(m.role == "user" for m in conversation.messages),
        tokens=words,
        trained_tokens=words // 2,
        tokens_exact=False,
        errors=0,
        warnings=0,
        flags=0,
        findings=(),
    )
