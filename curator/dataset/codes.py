"""The numbers and fixed names that columns, settings and rules share, each written here once.

The numbers stand in project files: one may be added, none may get another meaning.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from curator.dataset.label import Status
from curator.dataset.split import Split

STATUSES: Final = (Status.PENDING, Status.ACCEPTED, Status.REJECTED, Status.SKIPPED)
"""A status by its stored code."""

SPLITS: Final = ("", Split.TRAIN.value, Split.VALIDATION.value, Split.TEST.value)
"""A split by its stored code; 0 is unassigned."""

HAS_TOOLS: Final = 1
HAS_TOOL_CALLS: Final = 2
HAS_PARTS: Final = 4
"""A message whose content is a list of parts; images only come that way."""

HAS_SYSTEM: Final = 8
HAS_NAMES: Final = 16
HAS_WEIGHTS: Final = 32

EDITED: Final = 1 << 30
"""The bit that the store sets once a content was edited or written by hand; far from the others, which
the analysis writes anew and which may become more."""

FLAG_BITS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "tools": HAS_TOOLS,
        "calls": HAS_TOOL_CALLS,
        "images": HAS_PARTS,
        "system": HAS_SYSTEM,
        "names": HAS_NAMES,
        "weights": HAS_WEIGHTS,
    }
)
"""The bits of a conversation's flags by the words that a search has for them after ``has:``."""

PROFILES: Final = (
    "openai_sft",
    "azure",
    "together",
    "fireworks",
    "nebius",
    "bedrock",
    "trl",
    "gemini",
    "openai_rft",
)
"""The rules profiles: each says how grave a rule is for one kind of target."""

DEFAULT_RULES_PROFILE: Final = "openai_sft"
DEFAULT_BASE_MODEL: Final = "gpt-4.1-mini"
"""What a project counts tokens for until a base model is chosen."""
