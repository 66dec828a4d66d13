"""The page's work off the GUI thread, and the question it takes from the test split."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from curator.app.pages.try_out.exchange import Prompt
from curator.app.session.background import Work
from curator.dataset.codes import SPLITS
from curator.dataset.json_values import BadJson
from curator.dataset.progress import CancelledCall, ProgressCall
from curator.tune.candidates import Asked, Candidate, who_can_be_asked
from curator.tune.evaluation.chatting import Question, Reply, ask
from curator.tune.evaluation.items import Item, item_of
from curator.tune.services.client import connect
from curator.tune.targets.profiles import find_target

if TYPE_CHECKING:
    from curator.project.queries.index import Index
    from curator.project.store.project import Project

PATIENCE_S: Final = 180.0
"""How long a server may be silent: this computer answers one side after the other."""

_MOST_LOOKED_AT: Final = 200


@dataclass(frozen=True, slots=True)
class Choices:
    """Who can be asked, and the system prompts of the project."""

    asked: tuple[Asked, ...]
    prompts: tuple[str, ...]


class Live:
    """The text of a reply while it comes: written by one worker, read by the window."""

    def __init__(self) -> None:
        self.text = ""

    def add(self, piece: str) -> None:
        """Take the next piece."""
        self.text += piece


def read_choices(project: "Project | None") -> Work[Choices]:
    """Return the work that finds candidates and system prompts."""

    def work(_progress: ProgressCall, _cancelled: CancelledCall) -> Choices:
        if project is None:
            return Choices(who_can_be_asked(), ())
        return Choices(who_can_be_asked(str(project.path)), _prompts(project))

    return work


def ask_candidate(
    candidate: Candidate, prompt: Prompt, temperature: float, max_tokens: int, live: Live
) -> Work[Reply]:
    """Return the work that asks one candidate; live gets the reply as it comes."""
    question = Question(candidate.name, prompt.messages(), temperature, max_tokens)

    def work(_progress: ProgressCall, cancelled: CancelledCall) -> Reply:
        with connect(find_target(candidate.target), read_s=PATIENCE_S) as connection:
            return ask(connection, question, on_text=live.add, cancelled=cancelled)

    return work


def next_test_prompt(project: "Project", index: "Index", after: int | None) -> Prompt | None:
    """Return the question of the next conversation in the test split, the first one after the last.

    Those that do not end with a question and a text answer are passed over; None where none is left.
    """

    chosen = index.ids[(index.split == SPLITS.index("test")) & ~index.removed]
    ids = sorted(int(one) for one in chosen)
    if after is not None:
        ids = [one for one in ids if one > after] + [one for one in ids if one <= after]
    for conversation in ids[:_MOST_LOOKED_AT]:
        try:
            found = _prompt_of(conversation, project.conversation(conversation).fields)
        except BadJson:
            continue
        if found is not None:
            return found
    return None


def _prompt_of(conversation: int, fields: Mapping[str, Any]) -> Prompt | None:
    item = item_of(conversation, fields)
    if not isinstance(item, Item) or item.prompt.tools or not item.expected_text:
        return None
    *earlier, last = item.prompt.messages
    if last.get("role") != "user" or not isinstance(last.get("content"), str):
        return None
    system = ""
    if earlier and earlier[0].get("role") == "system" and isinstance(earlier[0]["content"], str):
        system = str(earlier.pop(0)["content"])
    return Prompt(str(last["content"]), system, tuple(earlier), item.expected_text, conversation)


def _prompts(project: "Project") -> tuple[str, ...]:
    from curator.curate.prompts import known_prompts
    from curator.project.prompts import SAVED, used_prompts

    with project.reader() as reader:
        used = [prompt.text for prompt in used_prompts(reader)]
        return tuple(known_prompts(reader.setting(SAVED) or [], used))
