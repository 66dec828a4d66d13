"""The verb that asks a base model or a checkpoint one question: ask."""

from curator.cli.answer import Answer
from curator.cli.arguments import Options, Verbs, number, whole
from curator.cli.progress import Progress

_MOST_TOKENS = 10_000_000
"""Far more than any model writes."""


def add_verbs(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add(
        "ask",
        _ask,
        "Ask a base model or a checkpoint of a target one question, and print its reply.",
        'curator ask --target this-computer --candidate tiny "Where is my card?"',
        'curator ask --target openai --candidate gpt-4.1-mini --system "Be brief." "Hello"',
    )
    parser.add_argument("question", metavar="QUESTION", help="what the user says")
    parser.add_argument("--target", required=True, metavar="NAME", help="curator targets list")
    parser.add_argument(
        "--candidate", required=True, metavar="X", help="a base model or a job's checkpoint"
    )
    parser.add_argument("--system", default="", metavar="S", help="a system prompt")
    parser.add_argument(
        "--temperature", type=number(0, 2), metavar="N", help="0 says the likeliest word every time"
    )
    parser.add_argument(
        "--max-tokens", type=whole(1, _MOST_TOKENS), metavar="N", help="the longest reply"
    )


def _ask(options: Options, progress: Progress) -> Answer:
    from curator.tune.evaluation.chatting import Question, ask
    from curator.tune.services.client import connect
    from curator.tune.targets.profiles import find_target

    messages = [{"role": "user", "content": options.question}]
    if options.system:
        messages.insert(0, {"role": "system", "content": options.system})
    question = Question(options.candidate, tuple(messages), options.temperature, options.max_tokens)
    with connect(find_target(options.target)) as connection:
        reply = ask(connection, question, cancelled=progress.cancelled)
    keys = {
        "candidate": reply.candidate,
        "reply": reply.text,
        "finish_reason": reply.finish_reason,
        "tokens": reply.tokens,
    }
    return Answer(keys, (reply.text,))
