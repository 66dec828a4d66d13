"""One question of this session and what each side said to it, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from curator.dataset import AnnotationPatch, ContentPatch, Conversation, Edit, Message
from curator.dataset.split import Split
from curator.tune.candidates import Candidate
from curator.tune.evaluation.chatting import Reply

Ending = Literal["done", "stopped", "failed"]
LEFT, RIGHT = 0, 1


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked: earlier turns, the question, and the demonstrated answer where there is one.

    conversation is the id of the test conversation it was taken from.
    """

    question: str
    system: str = ""
    earlier: tuple[Mapping[str, Any], ...] = ()
    demonstrated: str = ""
    conversation: int | None = None

    def messages(self) -> tuple[Mapping[str, Any], ...]:
        """Return the messages that are sent."""
        lead = ({"role": "system", "content": self.system},) if self.system else ()
        return (*lead, *self.earlier, {"role": "user", "content": self.question})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a candidate said and how that ended; reply is None where it did not come to its end."""

    candidate: Candidate
    text: str
    ending: Ending
    reply: Reply | None = None
    reason: str = ""

    @property
    def can_be_kept(self) -> bool:
        """Whether there is a whole reply to keep."""
        return self.ending == "done" and bool(self.text.strip())


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and the answers of both sides so far."""

    prompt: Prompt
    answers: tuple[Answer | None, Answer | None] = (None, None)

    def with_answer(self, side: int, answer: Answer) -> "Exchange":
        """Return the exchange with one side's answer filled in."""
        left, right = self.answers
        return replace(self, answers=(answer, right) if side == LEFT else (left, answer))


def keeping(prompt: Prompt, answer: Answer, conversation: int, title: str, author: str) -> Edit:
    """Return the edit that keeps an exchange as a new conversation, with who said it in the metadata.

    A question of the test split stays there: in training it would leak what the test asks.
    """
    said = (*prompt.messages(), {"role": "assistant", "content": answer.text})
    line = Conversation.of(tuple(Message(dict(fields)) for fields in said)).to_json()
    origin = {"said_by": answer.candidate.name, "target": answer.candidate.target}
    one = (conversation,)
    patches: tuple[ContentPatch | AnnotationPatch, ...] = (
        ContentPatch(conversation, None, line),
        AnnotationPatch("metadata", one, ({},), (origin,)),
    )
    if prompt.conversation is not None:
        patches = (*patches, AnnotationPatch("split", one, ("",), (Split.TEST.value,)))
    return Edit(title, author, patches)
