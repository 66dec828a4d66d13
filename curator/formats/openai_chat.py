"""OpenAI chat JSON Lines: one object with "messages"; the form in which conversations are stored."""

from collections.abc import Mapping
from typing import Final

from curator.dataset.json_values import Json

NAME: Final = "openai_chat"
TITLE: Final = "OpenAI chat (JSON Lines)"


def holds(fields: Mapping[str, Json]) -> bool:
    """Say whether an object looks like a record of this format."""
    return "messages" in fields
