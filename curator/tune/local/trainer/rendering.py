"""What a base's chat template writes of a conversation, and the proof that nothing of it is left out.

Every text, name, argument and definition is given to the template with a mark behind it. Where the
mark stands in the rendered text, and the whole text before it, there the template wrote it; where a
mark is missing, the template dropped or changed what it stood for. The marked rendering without its
marks must equal the rendering of the conversation as it is, so the marks themselves change nothing.
Values that cannot carry a mark (true, null, a type) are altered one by one: where that changes
nothing in the rendering, they are not in it. So nothing needs to be known of a template.
"""

import json
from collections.abc import Mapping, Sequence, Set
from typing import Any, Final
from weakref import WeakKeyDictionary

from curator.tune.local.trainer.marks import Leaf, Marks, Written
from curator.tune.local.trainer.template_messages import TemplateInput, TemplateRefused

_PROVED: Final[WeakKeyDictionary[Any, set[str]]] = WeakKeyDictionary()
"""The definitions whose values without a mark were found in what a base's template writes."""


class Rendering:
    """One conversation before one base's template: what it renders to, and what of it is written."""

    def __init__(self, tokenizer: Any, inputs: TemplateInput) -> None:
        _require_characters(inputs)
        self._tokenizer = tokenizer
        self._input = inputs
        self._marks = Marks(inputs)
        self._marked = self._marks.marked_input()
        self._bare = Marks(inputs, marking=False).marked_input()
        self._as_text = False
        self._cache: dict[tuple[int, bool], str] = {}

    @property
    def leaves(self) -> Sequence[Leaf]:
        """Return everything that must be read."""
        return self._marks.leaves

    @property
    def unmarked(self) -> Sequence[str]:
        """Return what people wrote where no mark can stand: ids, types, keys."""
        return self._marks.unmarked

    def of_message(self, index: int) -> frozenset[int]:
        """Return the numbers of the leaves of one message."""
        return frozenset(n for n, leaf in enumerate(self.leaves) if leaf.message == index)

    def of_messages(self, indexes: Set[int]) -> frozenset[int]:
        """Return the numbers of the leaves of some messages and of all definitions."""
        wanted = {None, *indexes}
        return frozenset(n for n, leaf in enumerate(self.leaves) if leaf.message in wanted)

    def marked(self, count: int, *, prompt: bool) -> str:
        """Return the first messages as the template writes them, with the marks in it."""
        key = (count, prompt)
        if key not in self._cache:
            self._cache[key] = self._render(self._marked, count, prompt=prompt)
        return self._cache[key]

    def written(self, count: int, *, prompt: bool) -> Written:
        """Return the first messages as the template writes them; raises TemplateRefused.

        That is where the template does something else with marked texts than with the same texts
        without marks, so that nothing could be said about what it leaves out.
        """
        found, bare = self._marks.removed(self.marked(count, prompt=prompt))
        if bare != self._render(self._bare, count, prompt=prompt):
            raise TemplateRefused(
                "the base's chat template writes texts differently by what they hold, so it cannot be "
                "proved that all is there"
            )
        if found.text != bare and found.text != self._render(self._input, count, prompt=prompt):
            # It trims texts, or writes them as JSON.
            self._marks.edges_as_json = True
            again, _ = self._marks.removed(self.marked(count, prompt=prompt))
            self._marks.edges_as_json = again.text == self._render(
                self._input, count, prompt=prompt
            )
            return again if self._marks.edges_as_json else found
        return found

    def length_of(self, marked: str) -> int:
        """Return how long a marked rendering is without its marks."""
        return len(self._marks.removed(marked)[0].text)

    def require(self, found: Set[int], wanted: Set[int] | None = None) -> None:
        """Raise TemplateRefused where something wanted, without it anything, is not among the found."""
        for number, leaf in enumerate(self.leaves):
            if number not in found and (wanted is None or number in wanted):
                raise TemplateRefused(f"the base's chat template leaves out {leaf.what}")

    def require_atoms(self) -> None:
        """Raise TemplateRefused where a value that carries no mark is not in the whole rendering."""
        count = len(self._input.messages)
        whole = self.marked(count, prompt=False)
        definitions = json.dumps(self._input.tools)
        proved = _PROVED.setdefault(self._tokenizer, set())
        for number, (message, what) in enumerate(self._marks.atoms):
            if message is None and definitions in proved:
                continue
            altered = Marks(self._input, altered=number).marked_input()
            try:
                same = self._render(altered, count, prompt=False) == whole
            except TemplateRefused:
                continue  # a template that stumbles over another value has read it
            if same:
                raise TemplateRefused(f"the base's chat template leaves out {what}")
        proved.add(definitions)

    def _render(self, inputs: TemplateInput, count: int, *, prompt: bool) -> str:
        """Render; a template that takes arguments as a text only gets them so, for the whole rendering."""
        messages = inputs.messages[:count]
        if self._as_text:
            return render(
                self._tokenizer, _arguments_as_text(messages), inputs.tools, prompt=prompt
            )
        try:
            return render(self._tokenizer, messages, inputs.tools, prompt=prompt)
        except TemplateRefused:
            if not any(message.get("tool_calls") for message in messages):
                raise
            as_text = _arguments_as_text(messages)
            try:
                text = render(self._tokenizer, as_text, inputs.tools, prompt=prompt)
            except TemplateRefused:
                text = None
            if text is None:
                raise
            self._as_text = True
            self._cache.clear()
            return text


def render(
    tokenizer: Any, messages: Sequence[Mapping[str, Any]], tools: Sequence[Any], *, prompt: bool
) -> str:
    """Return what the template writes; raises TemplateRefused where it refuses or breaks."""
    import jinja2

    try:
        text: str = tokenizer.apply_chat_template(
            list(messages),
            tools=list(tools) or None,
            tokenize=False,
            add_generation_prompt=prompt,
        )
    except (
        jinja2.TemplateError,
        TypeError,
        ValueError,
        LookupError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise TemplateRefused(f"the base's chat template refuses it: {error}") from error
    return text


def _arguments_as_text(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return messages whose calls carry their arguments as JSON text."""
    return [
        {
            **message,
            "tool_calls": [
                {
                    **call,
                    "function": {
                        **call["function"],
                        "arguments": json.dumps(call["function"]["arguments"], ensure_ascii=False),
                    },
                }
                for call in message["tool_calls"]
            ],
        }
        if message.get("tool_calls")
        else dict(message)
        for message in messages
    ]


def _require_characters(inputs: TemplateInput) -> None:
    """Raise TemplateRefused for half of a pair of code units: no tokenizer can write it."""
    try:
        json.dumps([inputs.messages, inputs.tools], ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise TemplateRefused("it holds a broken character (half of a pair)") from error
