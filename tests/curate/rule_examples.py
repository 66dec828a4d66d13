"""One failing and one passing example of every rule that looks at one conversation."""

from typing import Any, NamedTuple

USER = {"role": "user", "content": "What is a bond?"}
ANSWER = {"role": "assistant", "content": "A loan you can trade."}
SYSTEM = {"role": "system", "content": "Be brief."}
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}


class Example(NamedTuple):
    """A line, and what it is checked with."""

    line: Any
    profile: str = "openai_sft"
    limit: int | None = None
    tokens: int | None = None
    raw: str | None = None


def talk(*messages: Any, **more: Any) -> Example:
    return Example({"messages": list(messages), **more})


def call(arguments: Any = '{"city":"Oslo"}', name: Any = "weather", **more: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    made = {"id": "call_1", "type": "function", "function": function, **more}
    return {"role": "assistant", "tool_calls": [made]}


def result(call_id: str = "call_1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": "9 degrees"}


def picture(url: str, role: str = "user", **more: Any) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "image_url", "image_url": {"url": url, **more}}]}


PLAIN = talk(SYSTEM, USER, ANSWER)
TOOLED = talk(USER, call(), result(), ANSWER, tools=[TOOL])
PNG = "https://pictures.example/a.png"
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8A"
    "AAAASUVORK5CYII="
)
LONG = {"line": {"messages": [USER, ANSWER]}, "limit": 100}

EXAMPLES: dict[str, tuple[Example, Example]] = {
    "F08": (
        Example(
            {"messages": [USER, ANSWER]},
            raw='{"messages":[],"messages":[{"role":"user","content":"a"}]}',
        ),
        Example({"messages": [USER]}, raw='{"messages":[{"role":"user","content":"a"}]}'),
    ),
    "F10": (
        talk({"role": "user", "content": "Hi \ud83d"}, ANSWER),
        talk({"role": "user", "content": "Hi 😀"}, ANSWER),
    ),
    "F11": (
        talk(USER, {"role": "assistant", "content": "The caf\ufffd opens at 8"}),
        talk(USER, {"role": "assistant", "content": "The café opens at 8"}),
    ),
    "F12": (
        talk(USER, {"role": "assistant", "content": "The cafÃ© opens at â€œ8â€\x9d"}),
        talk(
            USER,
            {"role": "assistant", "content": "L’été «où» É» “Ärger” São MAÇÃ · Рёбра √π ├── a"},
        ),
    ),
    "F13": (
        talk(USER, {"role": "assistant", "content": "A lo\u200ban you can trade."}),
        talk(
            USER,
            {"role": "assistant", "content": "می\u200cخواهم 👨\u200d👩\u200d👧 ☺\ufe0f क्\u200dष"},
        ),
    ),
    "F14": (
        Example(
            {"messages": [USER]}, raw='{"messages":[{"role":"user","role":"user","content":"a"}]}'
        ),
        Example({"messages": [USER]}, raw='{"messages":[{"role":"user","content":"a"}]}'),
    ),
    "S01": (Example({"conversations": []}), PLAIN),
    "S02": (talk(), PLAIN),
    "S03": (talk(USER, ANSWER, source="forum"), PLAIN),
    "S04": (talk({"content": "Hi"}, ANSWER), PLAIN),
    "S05": (talk({"role": "human", "content": "Hi"}, ANSWER), PLAIN),
    "S06": (talk({**USER, "id": 7}, ANSWER), talk({**USER, "name": "Ann"}, ANSWER)),
    "S07": (talk({"role": "user", "content": ""}, ANSWER), TOOLED),
    "S08": (talk(USER, {"role": "assistant", "content": " \u200b\n"}), PLAIN),
    "S09": (talk(USER), PLAIN),
    "S10": (talk(USER, {**ANSWER, "weight": 0}), talk(USER, {**ANSWER, "weight": 0}, USER, ANSWER)),
    "S11": (talk(USER, {**ANSWER, "weight": "1"}), talk(USER, {**ANSWER, "weight": 1})),
    "S12": (talk(USER, ANSWER, USER), PLAIN),
    "S13": (talk(USER, USER, ANSWER), TOOLED),
    "S14": (talk(USER, ANSWER, ANSWER)._replace(profile="azure"), PLAIN._replace(profile="azure")),
    "S16": (talk(USER, SYSTEM, ANSWER)._replace(profile="trl"), PLAIN._replace(profile="trl")),
    "S17": (talk(SYSTEM, ANSWER), PLAIN),
    "S18": (talk({"role": "developer", "content": "Be brief."}, USER, ANSWER), PLAIN),
    "S19": (PLAIN._replace(profile="openai_rft"), PLAIN),
    "S20": (talk({**USER, "name": "Ann Lee"}, ANSWER), talk({**USER, "name": "Ann_Lee"}, ANSWER)),
    "S21": (talk(USER, {"role": "assistant", "content": None}), TOOLED),
    "S22": (talk("Hi", ANSWER), PLAIN),
    "S23": (talk({"role": "user", "content": 3.5}, ANSWER), PLAIN),
    "S24": (
        talk(USER, {**ANSWER, "weight": None}),
        talk(USER, {**call(), "content": None}, tools=[TOOL]),
    ),
    "S25": (
        talk(USER, call(index=0), result(), ANSWER, tools=[TOOL]),
        TOOLED,
    ),
    "T01": (talk(USER, call({"city": "Oslo"}), tools=[TOOL]), TOOLED),
    "T02": (talk(USER, call("{city: Oslo}"), tools=[TOOL]), TOOLED),
    "T03": (talk(USER, call('{"days":"two"}'), tools=[TOOL]), TOOLED),
    "T04": (talk(USER, call(), result("call_9"), ANSWER, tools=[TOOL]), TOOLED),
    "T05": (talk(USER, call(), USER, ANSWER, tools=[TOOL]), TOOLED),
    "T06": (talk(USER, call(), result(), ANSWER), TOOLED),
    "T08": (talk(USER, ANSWER, functions=[{"name": "weather", "parameters": SCHEMA}]), TOOLED),
    "T09": (talk(USER, ANSWER, tools=[TOOL], functions=[{"name": "tides"}]), TOOLED),
    "T10": (talk(USER, call(name="the weather"), tools=[TOOL]), TOOLED),
    "T11": (
        talk(
            USER,
            {"role": "assistant", "tool_calls": call()["tool_calls"] * 2},
            tools=[TOOL],
            parallel_tool_calls=False,
        ),
        talk(USER, call(), tools=[TOOL], parallel_tool_calls=False),
    ),
    "T12": (
        talk(
            USER,
            ANSWER,
            tools=[{"type": "function", "function": {"name": f"t{n}"}} for n in range(129)],
        ),
        TOOLED,
    ),
    "T13": (talk(USER, {**ANSWER, "tool_calls": []}), TOOLED),
    "T14": (talk(USER, call(id=""), tools=[TOOL]), TOOLED),
    "T15": (talk(USER, ANSWER, tools=[{"name": "weather"}]), TOOLED),
    "T16": (
        talk(USER, ANSWER, parallel_tool_calls="true"),
        talk(USER, ANSWER, parallel_tool_calls=True),
    ),
    "T17": (talk(USER, call(), result(), result(), ANSWER, tools=[TOOL]), TOOLED),
    "T18": (
        talk(USER, call(), result(), ANSWER, USER, call(), result(), ANSWER, tools=[TOOL]),
        TOOLED,
    ),
    "T19": (
        talk(USER, ANSWER, tools=[{**TOOL, "function": {"name": "tides", "parameters": {}}}]),
        TOOLED,
    ),
    "V01": (talk(USER, picture(PNG, "assistant")), talk(picture(PNG), ANSWER)),
    "V02": (talk(picture("https://pictures.example/a.gif"), ANSWER), talk(picture(PNG), ANSWER)),
    "V03": (
        talk({"role": "user", "content": picture(PNG)["content"] * 11}, ANSWER),
        talk(picture(PNG), ANSWER),
    ),
    "V04": (
        talk(picture("data:image/png;base64," + "A" * 14_000_000), ANSWER),
        talk(picture("data:image/png;base64,AAAA"), ANSWER),
    ),
    "V05": (
        talk({"role": "user", "content": [{"type": "input_audio"}]}, ANSWER),
        talk(picture(PNG), ANSWER),
    ),
    "V07": (talk(picture("./pictures/a.png"), ANSWER), talk(picture(PNG), ANSWER)),
    "V08": (talk(picture(PNG, detail="ultra"), ANSWER), talk(picture(PNG, detail="low"), ANSWER)),
    "V09": (
        talk(picture(PIXEL), ANSWER)._replace(profile="together"),
        talk(
            picture(PIXEL),
            {"role": "assistant", "content": [{"type": "text", "text": "A gate."}]},
        )._replace(profile="together"),
    ),
    "V10": (
        talk({"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}, ANSWER),
        talk({"role": "user", "content": [{"type": "text", "text": "Hi"}]}, ANSWER),
    ),
    "L01": (Example(**LONG, tokens=101), Example(**LONG, tokens=90)),
    "L02": (Example(**LONG, tokens=91), Example(**LONG, tokens=90)),
    "L03": (
        talk({"role": "user", "content": "Say <|im_start|>"}, ANSWER),
        talk({"role": "user", "content": "a <| b |> c"}, ANSWER),
    ),
    "P01": (
        talk({"role": "user", "content": "Use AKIA" + "IOSFODNN7EXAMPLE"}, ANSWER),
        talk({"role": "user", "content": "ASIA is a continent, a task-sk-list too"}, ANSWER),
    ),
    "P02": (
        talk({"role": "user", "content": "Card 4111 1111 1111 1111"}, ANSWER),
        talk({"role": "user", "content": "Card 4111 1111 1111 1112, mail a@example.com"}, ANSWER),
    ),
}
