"""Find and replace inside messages: every place is shown before anything changes."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from curator.curate.duplicates.words import word_characters
from curator.curate.search.patterns import Pattern
from curator.dataset import Conversation, Message
from curator.dataset.errors import WrongUse
from curator.dataset.json_values import Json


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for and what to put there; empty roles mean every role."""

    find: str
    replace: str = ""
    is_regex: bool = False
    match_case: bool = False
    whole_word: bool = False
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hit:
    """One place: message index, part index (None for a plain text), characters, before and after."""

    message: int
    part: int | None
    start: int
    end: int
    before: str
    after: str
    context: tuple[str, str]
    """Up to 40 characters on each side, for the preview."""


class Replacer:
    """A compiled search; raises WrongUse with a sentence where the pattern or replacement is wrong."""

    def __init__(self, search: Search) -> None:
        if not search.find:
            raise WrongUse("Type what to find.")
        self.search = search
        self._matches = _matcher(search)
        self._needle = _needle(search)

    def may_match(self, line: str) -> bool:
        """Say quickly whether a raw JSON line can hold a hit; never says no wrongly."""
        if self._needle is None or "\\u" in line:
            return True
        if self.search.match_case:
            return self._needle in line
        # Without case, i also matches the Turkish dotless and dotted i, which fold otherwise.
        folded = line.casefold().replace("\u0131", "i").replace("i\u0307", "i")
        return self._needle in folded

    def hits(self, conversation: Conversation) -> tuple[Hit, ...]:
        """Return every place in order; an empty match is no place."""
        found: list[Hit] = []
        for index, message in enumerate(conversation.messages):
            if not self.search.roles or message.role in self.search.roles:
                for part, text in _texts(message):
                    found.extend(self._hits_in(index, part, text))
        return tuple(found)

    def replaced(
        self, conversation: Conversation, left_out: Collection[tuple[int, int | None, int]] = ()
    ) -> Conversation:
        """Return the conversation with every hit replaced but those left out (message, part, start)."""
        changes: dict[tuple[int, int | None], list[Hit]] = {}
        for hit in self.hits(conversation):
            if (hit.message, hit.part, hit.start) not in left_out:
                changes.setdefault((hit.message, hit.part), []).append(hit)
        if not changes:
            return conversation
        messages: list[Json] = list(conversation.fields["messages"])
        for (index, part), hits in changes.items():
            messages[index] = _with_hits(messages[index], part, hits)
        return conversation.replace(messages=messages)

    def _hits_in(self, message: int, part: int | None, text: str) -> Iterator[Hit]:
        for match in self._matches(text):
            start, end = match.span()
            if start == end:
                continue
            after = (
                match.expand(self.search.replace) if self.search.is_regex else self.search.replace
            )
            context = (text[max(0, start - 40) : start], text[end : end + 40])
            yield Hit(message, part, start, end, match[0], after, context)


def _texts(message: Message) -> Iterator[tuple[int | None, str]]:
    content = message.content
    if isinstance(content, str):
        yield None, content
    elif isinstance(content, list):
        for index, part in enumerate(content):
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                yield index, part["text"]


def _with_hits(fields: dict[str, Json], part: int | None, hits: list[Hit]) -> dict[str, Json]:
    if part is None:
        return {**fields, "content": _spliced(fields["content"], hits)}
    parts = list(fields["content"])
    parts[part] = {**parts[part], "text": _spliced(parts[part]["text"], hits)}
    return {**fields, "content": parts}


def _spliced(text: str, hits: list[Hit]) -> str:
    pieces: list[str] = []
    position = 0
    for hit in hits:
        pieces += [text[position : hit.start], hit.after]
        position = hit.end
    return "".join([*pieces, text[position:]])


def _matcher(search: Search) -> Callable[[str], Iterable[re.Match[str]]]:
    source = search.find if search.is_regex else re.escape(search.find)
    if search.whole_word:
        source = rf"(?<!{word_characters()})(?:{source})(?!{word_characters()})"
    if not search.is_regex:
        return re.compile(source, 0 if search.match_case else re.IGNORECASE).finditer
    pattern = Pattern(source, shown=search.find, match_case=search.match_case)
    pattern.check_replacement(search.replace)
    return pattern.matches


def _needle(search: Search) -> str | None:
    """Return a plain text every hit's JSON line holds; only ASCII, whose case has one form."""
    text = search.find
    if search.is_regex or not re.fullmatch(r"[ -!#-.0-\[\]-~]+", text):
        return None
    if search.match_case:
        return text
    # Without case, K also matches the Kelvin sign and S the long s, whose casefold is k and s.
    return text.casefold()
