"""What stored token counts are counted with: a project keeps one number for each conversation."""

from functools import lru_cache


@lru_cache(maxsize=8)
def stored_encoding(base_model: str) -> str:
    """Return the encoding that stored counts stand in with; empty where it is the base model's own.

    The counts of a base on this computer, or of one that is not known, are such estimates.
    """
    from curator.curate.analysis.tokens import resolve_base_model

    facts = resolve_base_model(base_model)
    return "" if facts.known else facts.encoding
