"""The derived columns of one edited conversation, by the same kernel that imports run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import apsw

from curator.dataset import Conversation
from curator.dataset.codes import DEFAULT_BASE_MODEL, DEFAULT_RULES_PROFILE
from curator.dataset.json_values import Json, dumps, loads
from curator.dataset.rule import rule_pack_version
from curator.project.store.connection import scalar
from curator.project.store.reader import Reader, stored_setting

if TYPE_CHECKING:
    from curator.curate.analysis.columns import Row

_STAMP: Final = "derived_with"
_VERSION_AT: Final = 3


@dataclass(frozen=True, slots=True)
class Terms:
    """What the derived columns depend on besides the content: how tokens count, which rules hold."""

    encoding: str
    profile: str
    limit: int | None


def terms_of(base_model: Json, rules_profile: Json) -> Terms:
    """Return the terms that a project's settings mean."""
    from curator.curate.analysis.tokens import (
        resolve_base_model,  # loads vocabularies, so only when wanted
    )

    facts = resolve_base_model(str(base_model or DEFAULT_BASE_MODEL))
    return Terms(facts.encoding, str(rules_profile or DEFAULT_RULES_PROFILE), facts.context_limit)


def terms_in(connection: apsw.Connection) -> Terms:
    """Return the terms that the settings of an open file mean."""
    return terms_of(
        stored_setting(connection, "base_model"), stored_setting(connection, "rules_profile")
    )


def is_stale(reader: Reader) -> bool:
    """Whether stored tokens and findings were made under other terms than the project's now."""
    with reader.reading() as connection:
        if _is_empty(connection):
            return False
        stamp = scalar(connection, "SELECT value FROM stamp WHERE name = ?", (_STAMP,))
        return bool(stamp != _stamp(terms_in(connection)))


def kernel_is_old(reader: Reader) -> bool:
    """Whether stored hashes were made by another version of the kernel than the one here."""
    from curator.curate.analysis.columns import KERNEL_VERSION

    with reader.reading() as connection:
        stamp = scalar(connection, "SELECT value FROM stamp WHERE name = ?", (_STAMP,))
        if stamp is None:
            return not _is_empty(connection)
        return bool(loads(stamp)[_VERSION_AT] != KERNEL_VERSION)


def write_stamp(connection: apsw.Connection, terms: Terms) -> None:
    """Note what all rows were derived with."""
    connection.execute(
        "INSERT OR REPLACE INTO stamp (name, value) VALUES (?, ?)", (_STAMP, _stamp(terms))
    )


def stamp_if_empty(connection: apsw.Connection) -> None:
    """Note the terms of now in a project without conversations, before its first ones come in."""
    if _is_empty(connection):
        write_stamp(connection, terms_in(connection))


def _is_empty(connection: apsw.Connection) -> bool:
    return scalar(connection, "SELECT 1 FROM conversation LIMIT 1") is None


def _stamp(terms: Terms) -> str:
    from curator.curate.analysis.columns import KERNEL_VERSION

    return dumps([terms.encoding, terms.profile, terms.limit, KERNEL_VERSION, rule_pack_version()])


def derive(conversation: Conversation, terms: Terms, raw: str | None = None) -> "Row":
    """Return the kernel's row of one conversation; raw is its line, where that may say more."""
    from curator.curate.analysis.kernel import (
        analyse_conversation,
    )  # loads vocabularies, so only when wanted

    return analyse_conversation(
        conversation, encoding=terms.encoding, profile=terms.profile, limit=terms.limit, raw=raw
    )
