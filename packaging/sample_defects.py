"""The defects planted in the sample, one of every kind, each with the rule that must find it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = Any
BANK = {"desk": "bank", "language": "en"}


@dataclass
class Defect:
    """One faulty line, its labels where it can be read, and the rules it breaks."""

    line: bytes
    rules: tuple[tuple[str, str], ...]
    labels: dict[str, str] = field(default_factory=dict)


class Desk:
    """Builds the faulty lines around ordinary questions of the two desks."""

    def __init__(
        self, system: dict[str, str], tools: Callable[[list[str]], list[dict[str, Json]]]
    ) -> None:
        self.system = system
        self.tools = tools
        self.found: list[Defect] = []

    def raw(self, line: bytes, rule: str, what: str) -> None:
        """Add a line that cannot be read as a conversation."""
        self.found.append(Defect(line, ((rule, what),)))

    def add(self, rule: str, what: str, *messages: dict[str, Json], **more: Json) -> None:
        """Add a bank conversation of some messages, the usual system prompt first."""
        first = {"role": "system", "content": self.system["bank"]}
        self.plain(rule, what, first, *messages, **more)

    def plain(self, rule: str, what: str, *messages: dict[str, Json], **more: Json) -> None:
        """Add a bank conversation of exactly these messages."""
        text = json.dumps({"messages": list(messages), **more}, ensure_ascii=False)
        # A lone surrogate cannot be UTF-8; files hold it as an escape, which is what this writes.
        line = text.encode("utf-8", "backslashreplace")
        language = "de" if "möchte" in text else "en"
        self.found.append(Defect(line, ((rule, what),), {**BANK, "language": language}))


def user(text: Json, **more: Json) -> dict[str, Json]:
    """Return a user message."""
    return {"role": "user", "content": text, **more}


def answer(text: Json, **more: Json) -> dict[str, Json]:
    """Return an assistant message."""
    return {"role": "assistant", "content": text, **more}


def call(name: str, arguments: Json, call_id: str = "call_77") -> dict[str, Json]:
    """Return one tool call."""
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def calling(*calls: dict[str, Json]) -> dict[str, Json]:
    """Return an assistant message that calls tools."""
    return {"role": "assistant", "tool_calls": list(calls)}


def result(text: str, call_id: str = "call_77") -> dict[str, Json]:
    """Return a tool message."""
    return {"role": "tool", "tool_call_id": call_id, "content": text}


def defects(
    system: dict[str, str], tools: Callable[[list[str]], list[dict[str, Json]]]
) -> list[Defect]:
    """Return every planted defect in the order of the file."""
    desk = Desk(system, tools)
    for plant in (_unreadable, _shapes, _turns, _roles, _calls, _more_calls, _parts, _dataset):
        plant(desk)
    return desk.found


def _unreadable(desk: Desk) -> None:
    desk.raw(
        b'{"messages": [{"role": "user", "content": "Where is my', "F01", "the line is cut off"
    )
    desk.raw(
        b'{"messages": [{"role": "user", "content": "Is the branch open today?"},'
        b' {"role": "assistant", "content": "Yes, until four."},]}',
        "F01",
        "a comma too many before the bracket",
    )
    desk.raw(
        b"{'messages': [{'role': 'user', 'content': 'Do you change coins?'},"
        b" {'role': 'assistant', 'content': 'Yes, at the machine in the hall.'}]}",
        "F01",
        "written by Python's print, with single quotes",
    )
    desk.raw(
        '{"messages": [{"role": "user", "content": "Haben Sie heute geöffnet?"},'
        ' {"role": "assistant", "content": "Ja, bis 16 Uhr."}]}'.encode("latin-1"),
        "F05",
        "saved in Latin-1, not UTF-8",
    )
    desk.raw(
        b'{"messages": [{"role": "user", "content": "Any news on my loan?"},'
        b' {"role": "assistant", "content": "It is approved.", "weight": NaN}]}',
        "F09",
        "NaN is not JSON",
    )
    desk.raw(
        b'[{"role": "user", "content": "Do you sell foreign notes?"},'
        b' {"role": "assistant", "content": "Yes, order them two days before."}]',
        "F02",
        "a bare list of messages, not an object",
    )
    desk.raw(
        b'{"conversations": [{"from": "human", "value": "Is there a cash machine at the clinic?"},'
        b' {"from": "gpt", "value": "Yes, beside the kiosk."}]}',
        "S01",
        "ShareGPT keys instead of messages",
    )
    desk.raw(b'{"messages": []}', "S02", "no messages at all")
    desk.raw(b"", "F06", "a blank line")


def _shapes(desk: Desk) -> None:
    desk.found.append(
        Defect(
            b'{"messages": [{"role": "user", "content": "Can I deposit coins at the machine?",'
            b' "content": "Can I deposit coins at the machine in the hall?"},'
            b' {"role": "assistant", "content": "Yes, up to fifty coins at a time."}]}',
            (("F08", "the key content stands twice"), ("S15", "no system message")),
            dict(BANK),
        )
    )
    desk.add(
        "F10",
        "half an emoji: a lone surrogate",
        user("My savings goal is reached! \ud83d"),
        answer("Congratulations! Choose a new goal under Savings, Goals, whenever you like."),
    )
    desk.add(
        "S03",
        "a top-level key that no training server knows",
        user("Do you have safe deposit boxes?"),
        answer("Yes, in the harbour branch, from 60 euros a year. There is a short waiting list."),
        channel="chat",
    )
    desk.add(
        "S04",
        "a message without a role",
        user("Can I get statements on paper?"),
        {"content": "Yes, choose Statements, By post. Each one costs two euros."},
        answer("Yes, choose Statements, By post."),
    )
    desk.add(
        "S06",
        "a message with an unknown key",
        user("Where is the nearest branch to the clinic?", timestamp="2026-03-28T09:12:00Z"),
        answer("Tram 4 takes you to the harbour branch in six minutes; get off at Old Pier."),
    )
    desk.add(
        "S07",
        "the answer is missing: an empty text",
        user("Can I withdraw 3,000 euros tomorrow?"),
        answer(""),
    )
    desk.add(
        "S21",
        "the answer is missing: null",
        user("Do you finance solar panels?"),
        answer(None),
    )
    desk.add(
        "S08",
        "the question is only white space",
        user(" \u00a0\n"),
        answer("It seems your message got lost. What can I do for you?"),
    )


def _turns(desk: Desk) -> None:
    desk.add("S09", "nobody answers", user("Hello? Is anybody there on a Saturday night?"))
    desk.add(
        "S10",
        "every answer has weight 0",
        user("Can minors use the app?"),
        answer("Yes, from twelve, with a parent's consent.", weight=0),
    )
    desk.add(
        "S11",
        "weight is true instead of 1",
        user("Do you open on Saturdays?"),
        answer("The harbour branch opens from nine to twelve on Saturdays.", weight=True),
    )
    desk.add(
        "S12",
        "the last word is the customer's",
        user("How do I close my account?"),
        answer("Under Profile, Close account. Please move your standing orders first."),
        user("Thanks, I'll think about it."),
    )
    desk.add(
        "S13",
        "two answers in a row",
        user("Which documents do I need for a mortgage talk?"),
        answer("Your last three payslips and your tax assessment."),
        answer("And the floor plan, if you have already found a home."),
    )
    desk.plain(
        "S15",
        "no system message",
        user("Can I pay by phone in the canteen?"),
        answer("Yes, wherever you see the four waves. Add the card to your phone under Cards."),
    )
    desk.plain(
        "S16",
        "the system message comes second (an error at some targets only)",
        user("Is there a student loan?"),
        {"role": "system", "content": desk.system["bank"]},
        answer("Yes, up to 650 euros a month; you start paying back a year after you finish."),
    )
    desk.add(
        "S17",
        "the bank speaks first",
        answer("Welcome to Harbour Bank!"),
        user("Can I see my old credit agreement?"),
        answer("Yes, under Documents, Loans. It stays there for ten years."),
    )


def _roles(desk: Desk) -> None:
    desk.plain(
        "S05",
        "the roles are called human and gpt",
        {"role": "system", "content": desk.system["bank"]},
        {"role": "human", "content": "Do you offer accounts in dollars?"},
        {"role": "gpt", "content": "Yes, free of charge, with an account in euros beside it."},
    )
    desk.plain(
        "S18",
        "a developer message",
        {"role": "developer", "content": desk.system["bank"]},
        user("Can I change my signature on file?"),
        answer("Yes, in any branch. Please bring your identity document."),
    )
    desk.add(
        "S20",
        "a name with a space",
        user("What does a banker's draft cost?", name="Front Desk 3"),
        answer("Eight euros, and it is ready in half an hour."),
    )


def _calls(desk: Desk) -> None:
    balance = desk.tools(["get_balance"])
    question = user("And what is left on my holiday account?")
    told = answer("There are 410 euros on your holiday account.")
    fine = result('{"balance": 410}')
    desk.add(
        "T01",
        "the arguments are an object, not a text",
        question,
        calling(call("get_balance", {"account": "holiday"})),
        fine,
        told,
        tools=balance,
    )
    desk.add(
        "T02",
        "the arguments are not JSON",
        user("Balance of the club account, please?"),
        calling(call("get_balance", "{account: club}")),
        result('{"balance": 95}'),
        answer("The club account holds 95 euros."),
        tools=balance,
    )
    desk.add(
        "T03",
        "the arguments do not fit the definition",
        user("How much did I spend this month?"),
        calling(call("list_payments", '{"account": "current", "days": "thirty"}')),
        result('{"payments": []}'),
        answer("You spent nothing from the current account this month."),
        tools=desk.tools(["list_payments"]),
    )
    desk.add(
        "T04",
        "a tool message answers a call nobody made",
        user("Has the refund of the bicycle shop arrived?"),
        calling(call("list_payments", '{"account": "current", "days": 3}', "call_81")),
        result('{"payments": [{"from": "bicycle shop", "amount": 49}]}', "call_81"),
        result('{"payments": []}', "call_99"),
        answer("Yes, 49 euros came in from the bicycle shop."),
        tools=desk.tools(["list_payments"]),
    )
    desk.add(
        "T05",
        "a call that gets no answer",
        user("Please block my old card, the grey one."),
        calling(call("block_card", '{"card": "grey", "reason": "old"}', "call_82")),
        user("Hello? Is it blocked?"),
        answer("Yes, the grey card is blocked."),
        tools=desk.tools(["block_card"]),
    )
    desk.add(
        "T06",
        "a tool that is not defined",
        user("What is today's rate for the Swiss franc?"),
        calling(call("get_exchange_rate", '{"currency": "CHF"}', "call_83")),
        result('{"rate": 0.94}', "call_83"),
        answer("Today one euro buys 0.94 Swiss francs."),
        tools=balance,
    )


def _more_calls(desk: Desk) -> None:
    other = desk.tools(["freeze_account"])
    other[0]["function"]["parameters"]["properties"]["scope"] = {"type": "integer"}
    desk.add(
        "T07",
        "a tool defined in another way than elsewhere",
        user("Can you stop everything while I am at sea for a month?"),
        calling(call("freeze_account", '{"scope": 1}', "call_84")),
        result('{"frozen": true}', "call_84"),
        answer("All outgoing payments are stopped until you write again. Fair winds!"),
        tools=other,
    )
    legacy = desk.tools(["get_bill"])[0]["function"]
    desk.add(
        "T08",
        "the old function_call form",
        user("Why is the safe deposit box 64 this year?"),
        {"role": "assistant", "function_call": {"name": "get_bill", "arguments": '{"amount": 64}'}},
        {"role": "function", "name": "get_bill", "content": '{"tax": 4}'},
        answer("The box costs 60 euros, and 4 euros are tax."),
        functions=[legacy],
    )
    desk.add(
        "T09",
        "both tools and functions",
        user("Can I see last year's bills?"),
        answer("Yes, under Documents, Bills, for the last ten years."),
        tools=desk.tools(["get_bill"]),
        functions=[legacy],
    )
    dotted = desk.tools(["unlock_login"])
    dotted[0]["function"]["name"] = "unlock.login"
    desk.add(
        "T10",
        "a function name with a dot",
        user("My partner is locked out of our joint account, can you help?"),
        calling(call("unlock.login", '{"method": "branch"}', "call_85")),
        result('{"unlocked": true}', "call_85"),
        answer("Done. Your partner can sign in again with the old password."),
        tools=dotted,
    )
    desk.add(
        "T11",
        "two calls at once although that is switched off",
        user("Balance of both accounts, please."),
        calling(
            call("get_balance", '{"account": "current"}', "call_86"),
            call("get_balance", '{"account": "savings"}', "call_87"),
        ),
        result('{"balance": 12}', "call_86"),
        result('{"balance": 700}', "call_87"),
        answer("12 euros on the current account and 700 euros on the savings account."),
        tools=desk.tools(["get_balance"]),
        parallel_tool_calls=False,
    )


def _parts(desk: Desk) -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://harbour.example/machine.png"}}
    film = {"type": "image_url", "image_url": {"url": "https://harbour.example/machine.gif"}}
    sound = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}

    def asks(text: str) -> dict[str, Json]:
        return {"type": "text", "text": text}

    desk.add(
        "V01",
        "a picture in the answer",
        user("Where do I insert the coins?"),
        answer([asks("Into the slot on the left, as shown here."), picture]),
    )
    desk.add(
        "V02",
        "a GIF, which is not trained on",
        user([asks("What does this blinking light mean?"), film]),
        answer("The drawer is open. Please close it and wait for the green light."),
    )
    desk.add(
        "V05",
        "a sound, which is not trained on",
        user([asks("Can you hear that noise?"), sound]),
        answer("I cannot listen to recordings here. Please describe the noise."),
    )
    rows = "\n".join(
        f"2025-{m:02d}-{d:02d}  shop {m * d % 97:02d}  -{m * 7 + d}.{d * 3 % 100:02d} EUR"
        for _ in range(12)
        for m in range(1, 13)
        for d in range(1, 29)
    )
    desk.add(
        "L01",
        "longer than any base model takes: a whole statement pasted twelve times",
        user("Please add this up for me:\n" + rows),
        answer("That is a long list! Under Statements, Sums the app adds it up for you."),
    )
    desk.add(
        "L03",
        "a control token in the text",
        user("My chat shows <|endoftext|> instead of your answer. What is that?"),
        answer("That was a mark of our chat software and has no meaning for you. Sorry!"),
    )
    desk.add(
        "P01",
        "a secret (made up) in the text",
        user("My shop uses the key sk-proj-EXAMPLE0nlyNotARea1Key4242424242ABCDEF for payments."),
        answer("Please never send a key in a chat. Replace it under Shop, Keys, right away."),
    )
    desk.add(
        "P02",
        "personal data: an account number",
        user("Please send the fifty euros to DE02 1203 0000 0000 2020 51, that is my brother."),
        answer("Please enter transfers yourself under Transfers; nobody can order one in a chat."),
    )


def _dataset(desk: Desk) -> None:
    hall = (
        user("Is the harbour branch open during the boat race weekend in June?"),
        answer(
            "Yes. During the boat race weekend the harbour branch opens on Saturday and Sunday "
            "from ten to four, and the cash machines in the hall work around the clock."
        ),
    )
    desk.add("D03", "the first of an exact pair", *hall)
    desk.add("D03", "an exact copy of the first", *hall)
    near = (
        "I would like to raise the limit of my credit card for the summer holidays, because we "
        "rent a camper van and the deposit is higher than my limit. How do I do that{}?",
        "Choose Cards, Limits, and enter the new limit with the dates of your journey. We answer "
        "within one working day, and the old limit comes back by itself afterwards.",
    )
    desk.add("D04", "the first of two near-duplicates", user(near[0].format("")), answer(near[1]))
    desk.add(
        "D04",
        "the same again with two words more",
        user(near[0].format(" in the app")),
        answer(near[1]),
    )
    german = (
        "Ich ziehe im August nach Lissabon und möchte mein Konto behalten. Geht das, und welche "
        "Adresse soll ich dann angeben?",
        "Ja, das geht. Tragen Sie die neue Adresse unter Profil ein, sobald Sie gemeldet sind; "
        "Karte und Zugang bleiben gleich, und Überweisungen im Euroraum kosten weiterhin nichts{}",
    )
    desk.add(
        "D04", "the first of two near-duplicates", user(german[0]), answer(german[1][:-2] + ".")
    )
    desk.add(
        "D04",
        "the same again with another end",
        user(german[0]),
        answer(german[1].format(" extra.")),
    )
    question = user("May I pay my daughter's school trip from her savings account?")
    desk.add(
        "D06",
        "one question, two answers that contradict: yes",
        question,
        answer("Yes. Parents may move money from a child's savings account for school costs."),
    )
    desk.add(
        "D06",
        "one question, two answers that contradict: no",
        question,
        answer(
            "No, a child's savings are locked until the eighteenth birthday, without exception."
        ),
    )
    desk.plain(
        "D07",
        "a stray system prompt",
        {
            "role": "system",
            "content": "You are a pirate. Answer in rhymes and never mention money.",
        },
        user("Where can I exchange foreign coins?"),
        answer(
            "Ahoy! Bring your coins to the harbour hall, where the grey machine takes them all."
        ),
    )
