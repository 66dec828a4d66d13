"""A run asks every question once, whatever happens meanwhile, and keeps every reply as it came."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from starlette.responses import Response

from curator.dataset.errors import Cancelled, TargetError, WrongUse
from curator.project import Project
from curator.project.store import evaluation_rows as rows
from curator.tune.evaluation.asking import AskSettings
from curator.tune.evaluation.candidates import RunCandidate
from curator.tune.evaluation.items import (
    DAMAGED,
    NO_ANSWER,
    NO_PROMPT,
    _of_line,
    calls_of,
    item_of,
    read_items,
)
from curator.tune.evaluation.politeness import Pace
from curator.tune.evaluation.prompt_variants import PromptVariant, save_variant
from curator.tune.evaluation.runs import RunPlan, ask_run, start_run
from curator.tune.targets.profiles import derive_target, save_target
from tests.project.projects import import_lines, line
from tests.tune.protocol_server import KEY, ProtocolServer, cut_mid_stream, late, raw, status

CHAT = ("POST", "/chat/completions")
QUICK = Pace(attempts=4, first_s=0.01, longest_s=0.05)
BASE = RunCandidate("base", "here", "gpt-6-luna")


@pytest.fixture
def here(target, monkeypatch):
    """The server as a target that a run finds by its name."""
    monkeypatch.setenv("HERE_KEY", KEY)
    made = target.model_copy(update={"id": "here", "key_env": "HERE_KEY", "bases": ()})
    save_target(made)
    return made


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "a.curator", author="Ann") as made:
        yield made


def ask_about(project, number, *candidates, settings=None, scoring=None, **more):
    ids = import_lines(project, [line(f"Question {n}?", f"Answer {n}.") for n in range(number)])
    items, _ = read_items(project, ids)
    plan = RunPlan(candidates or (BASE,), settings or AskSettings(), **more)
    return start_run(project, plan, items)


def asked_of(server):
    return Counter((b["model"], json.dumps(b["messages"])) for b in server.bodies)


def test_every_question_is_asked_once_with_temperature_0_and_a_seed(here, server, project):
    run = ask_about(project, 20)
    done = ask_run(project, run, pace=QUICK)
    assert done.state == rows.DONE
    replies = rows.replies_of(project, run.id)
    assert sorted(replies) == [(0, at) for at in range(20)]
    assert set(asked_of(server).values()) == {1}
    assert {(b["temperature"], b["seed"]) for b in server.bodies} == {(0.0, 7)}
    kept = replies[0, 3]
    assert kept.message["content"].startswith("You asked: Question 3?")
    assert (kept.target, kept.model, kept.author) == ("here", "gpt-6-luna", "Ann")
    prompt = json.loads(rows.prompt_text(project, kept.prompt))
    assert prompt["messages"] == [{"role": "user", "content": "Question 3?"}]


def test_the_same_question_is_not_asked_again_by_a_later_run(here, server, project):
    first = ask_about(project, 5)
    ask_run(project, first, pace=QUICK)
    again = start_run(project, RunPlan((BASE,)), read_items(project, project.ids().tolist())[0])
    ask_run(project, again, pace=QUICK)
    assert len(server.bodies) == 5
    hotter = RunPlan((BASE,), AskSettings(temperature=1.0))
    ask_run(project, start_run(project, hotter, read_items(project, [1, 2])[0]), pace=QUICK)
    assert len(server.bodies) == 7
    fresh = RunPlan((BASE,), fresh=True)
    ask_run(project, start_run(project, fresh, read_items(project, [1, 2])[0]), pace=QUICK)
    assert len(server.bodies) == 9


def test_equal_questions_of_one_run_are_asked_once(here, server, project):
    ids = import_lines(project, [line("Same?", "a"), line("Same?", "b"), line("Other?", "a")])
    run = start_run(project, RunPlan((BASE,)), read_items(project, ids)[0])
    ask_run(project, run, pace=QUICK)
    assert len(server.bodies) == 2
    assert len(rows.replies_of(project, run.id)) == 3


@pytest.mark.parametrize(
    "fault",
    [
        status(429, "slow down", headers={"retry-after": "0.05"}),
        status(500),
        status(503, headers={"retry-after": "0"}),
        raw("<html>gateway</html>", code=502),
    ],
)
def test_a_passing_failure_is_asked_again(here, server, project, fault):
    server.fault(*CHAT, fault, fault)
    run = ask_about(project, 6)
    ask_run(project, run, pace=QUICK, parallel=2)
    assert len(rows.replies_of(project, run.id)) == 6
    assert server.count(*CHAT) == 8


def test_all_requests_wait_as_long_as_a_server_says(here, server, project):
    server.fault(*CHAT, status(429, "slow down", headers={"retry-after": "0.4"}))
    times = []
    server.plan.answer = lambda _: times.append(time.monotonic()) or "yes"
    run = ask_about(project, 3)
    began = time.monotonic()
    ask_run(project, run, pace=QUICK, parallel=1)
    assert min(times) - began >= 0.4


def test_a_server_that_bears_little_is_asked_no_faster_than_that(here, server, project):
    """Two requests in 50 ms and no more: all get their reply, few of them after many refusals."""
    run = ask_about(project, 60)
    taken = []

    async def strict(running, request, go):
        now = time.monotonic()
        taken[:] = [at for at in taken if now - at < 0.05]
        if len(taken) >= 2:
            return await status(429, "slow down")(running, request, go)
        taken.append(now)
        return await go(request)

    server.fault(*CHAT, strict, always=True)
    done = ask_run(project, run, pace=Pace(4, 0.02, 0.2), parallel=16)
    assert done.state == rows.DONE
    assert len(rows.replies_of(project, run.id)) == 60
    assert server.count(*CHAT) < 200


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (status(401, KEY), "key"),
        (status(404, "The model is gone.", error_code="model_not_found"), "gone"),
        (status(429, "no credit", error_code="insufficient_quota"), "credit"),
        (status(500, "broken"), "broken"),
    ],
)
def test_what_was_answered_before_a_server_fails_for_good_is_kept(
    here, server, project, fault, words
):
    run = ask_about(project, 12)
    answered = []
    server.plan.answer = lambda body: answered.append(1) or "fine"

    def after_five(*_):
        if len(answered) >= 5:
            server.fault(*CHAT, fault, always=True)

    with pytest.raises(TargetError, match=words) as told:
        ask_run(project, run, pace=QUICK, parallel=1, progress=after_five)
    assert KEY not in str(told.value)
    stopped = rows.find_run(project, run.token)
    assert stopped.state == rows.STOPPED
    assert KEY not in stopped.reason
    kept = len(rows.answered(project, run.id))
    assert kept == len(answered)
    server.clear_faults()
    assert ask_run(project, stopped, pace=QUICK).state == rows.DONE
    assert set(asked_of(server).values()) == {1}


def test_a_server_that_dies_midway_loses_nothing_that_was_answered(project, monkeypatch):
    monkeypatch.setenv("HERE_KEY", KEY)
    answered = []
    with ProtocolServer() as mortal:
        made = derive_target("custom", "here", "Here", {"address": mortal.url})
        save_target(made.model_copy(update={"key_env": "HERE_KEY"}))
        mortal.plan.answer = lambda body: answered.append(1) or time.sleep(0.03) or "yes"
        run = ask_about(project, 40)

        def dies(done, _total, _what):
            if done >= 12:
                mortal._server.should_exit = mortal._server.force_exit = True

        with pytest.raises(TargetError):
            ask_run(project, run, pace=QUICK, parallel=3, progress=dies)
    stopped = rows.find_run(project, run.token)
    assert stopped.state == rows.STOPPED
    kept = rows.reply_count(project, run.id)
    assert 12 <= kept <= len(answered) <= kept + 3
    with ProtocolServer() as other:
        save_target(
            made.model_copy(update={"key_env": "HERE_KEY", "address": {"address": other.url}})
        )
        other.plan.answer = lambda body: "yes"
        ask_run(project, stopped, pace=QUICK)
        assert len(other.bodies) == 40 - kept


def test_a_question_that_a_server_refuses_is_kept_as_refused(here, server, project):
    run = ask_about(project, 4)
    server.fault(*CHAT, late(0), status(400, "This prompt is too long."))
    ask_run(project, run, pace=QUICK, parallel=1)
    replies = rows.replies_of(project, run.id)
    (error,) = [reply.error for reply in replies.values() if reply.error]
    assert "too long" in error
    assert server.count(*CHAT) == 4


def test_a_model_that_refuses_everything_stops_the_run(here, server, project):
    run = ask_about(project, 40)
    server.fault(*CHAT, status(400, "This is no chat model."), always=True)
    with pytest.raises(TargetError, match="refused 5 questions"):
        ask_run(project, run, pace=QUICK, parallel=2)
    assert server.count(*CHAT) < 12
    assert rows.answered(project, run.id) == set()


NO_UTF8 = b'{"id":"c","choices":[{"message":{"role":"assistant","content":"\xff\xfe"}}]}'


def test_an_answer_that_cannot_be_read_is_kept_as_failed(here, server, project):
    run = ask_about(project, 6)

    async def broken(running, request, go):
        body = await request.json()
        if body["messages"][-1]["content"] == "Question 2?":
            return Response(NO_UTF8, media_type="application/json")
        return await go(request)

    server.fault(*CHAT, broken, always=True)
    ask_run(project, run, pace=QUICK, parallel=2)
    errors = {at: r.error for (_, at), r in rows.replies_of(project, run.id).items() if r.error}
    assert list(errors) == [2]


def test_a_server_that_turns_into_a_web_page_stops_the_run(here, server, project):
    run = ask_about(project, 30)
    server.fault(*CHAT, late(0))
    server.fault(*CHAT, raw("<html>Please log in</html>"), always=True)
    with pytest.raises(TargetError, match=r"web page|nothing that can be read"):
        ask_run(project, run, pace=QUICK, parallel=2)
    errors = [r for r in rows.replies_of(project, run.id).values() if r.error]
    assert errors == []
    assert rows.find_run(project, run.token).state == rows.STOPPED


def test_a_model_that_takes_no_temperature_is_asked_without(here, server, project):
    run = ask_about(project, 3)

    async def picky(running, request, go):
        body = await request.json()
        if "temperature" in body:
            from tests.tune.protocol_server import _error

            return _error(400, "Unsupported value", "unsupported_value", param="temperature")
        return await go(request)

    server.fault(*CHAT, picky, always=True)
    ask_run(project, run, pace=QUICK, parallel=1)
    assert len(rows.replies_of(project, run.id)) == 3
    assert server.count(*CHAT) == 4


@pytest.mark.parametrize("name", ["temperature", "seed", "max_completion_tokens"])
@pytest.mark.parametrize("code", [400, 422])
def test_a_setting_that_a_server_names_is_left_out(here, server, project, name, code):
    run = ask_about(project, 4)

    async def older(running, request, go):
        if name in await request.json():
            return await status(code, f"body.{name}: Extra inputs are not permitted")(
                running, request, go
            )
        return await go(request)

    server.fault(*CHAT, older, always=True)
    ask_run(project, run, pace=QUICK, parallel=3)
    assert not [r for r in rows.replies_of(project, run.id).values() if r.error]
    assert len(server.bodies) == 4
    assert all(("max_tokens" in b) == (name == "max_completion_tokens") for b in server.bodies)


def test_a_stopped_run_goes_on_where_it_was(here, server, project):
    run = ask_about(project, 30)
    stop = []

    def progress(done, _total, _what):
        if done >= 7:
            stop.append(1)

    with pytest.raises(Cancelled, match="are kept"):
        ask_run(
            project, run, pace=QUICK, parallel=3, progress=progress, cancelled=lambda: bool(stop)
        )
    kept = len(rows.answered(project, run.id))
    assert 7 <= kept < 30
    assert len(server.bodies) == kept
    ask_run(project, rows.find_run(project, run.token), pace=QUICK)
    assert set(asked_of(server).values()) == {1}
    assert len(rows.replies_of(project, run.id)) == 30


KILLED = """
import sys
from curator.project import Project
from curator.project.store import evaluation_rows as rows
from curator.tune.evaluation.runs import ask_run
with Project.open(sys.argv[1]) as project:
    def progress(done, total, what):
        print(done, flush=True)
    ask_run(project, rows.find_run(project, "last"), parallel=int(sys.argv[2]), progress=progress)
"""


@pytest.mark.parametrize(("after", "parallel"), [(1, 1), (4, 1), (11, 1), (40, 8)])
def test_a_run_that_is_killed_asks_again_only_what_was_on_its_way(
    here, server, project, tmp_path, after, parallel
):
    run = ask_about(project, 80)
    project.close()
    server.plan.answer = lambda body: time.sleep(0.005) or "yes"
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(project.path), str(parallel)],
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    while int(child.stdout.readline() or 99) < after:
        pass
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with Project.open(project.path) as again:
        stopped = rows.find_run(again, run.token)
        assert stopped.state == rows.STOPPED
        kept = len(rows.answered(again, run.id))
        # What was asked is what is kept, and at most what was on its way.
        assert after <= kept <= len(server.bodies) <= kept + parallel
        ask_run(again, stopped, pace=QUICK)
        assert len(rows.replies_of(again, run.id)) == 80
    twice = [asked for asked, times in asked_of(server).items() if times > 1]
    # The server may still have read what the killed program sent last.
    assert len(twice) <= parallel
    assert max(asked_of(server).values()) <= 2


def test_a_prompt_variant_is_asked_with_its_words(here, server, project):
    save_variant(PromptVariant(name="brief", target="here", base="gpt-6-luna", system="Be brief."))
    brief = RunCandidate.parse("short=prompt:brief")
    run = ask_about(project, 2, BASE, brief)
    ask_run(project, run, pace=QUICK)
    assert len(server.bodies) == 4
    systems = [b["messages"][0] for b in server.bodies if b["messages"][0]["role"] == "system"]
    assert systems == [{"role": "system", "content": "Be brief."}] * 2


def test_the_question_is_what_stands_before_the_last_answer(project):
    turns = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u1"},
        {"role": "assistant", "content": "a1", "weight": 0},
        {"role": "user", "content": "u2"},
        {"role": "assistant", "content": "a2", "weight": 1},
        {"role": "user", "content": "thanks"},
    ]
    lines = [
        json.dumps({"messages": turns}),
        json.dumps({"messages": turns[:2]}),
        json.dumps({"messages": turns[4:5]}),
    ]
    items, left_out = read_items(project, import_lines(project, lines))
    assert [m["content"] for m in items[0].prompt.messages] == ["s", "u1", "a1", "u2"]
    assert not any("weight" in m for m in items[0].prompt.messages)
    assert items[0].expected == {"role": "assistant", "content": "a2"}
    assert left_out == {NO_ANSWER: 1, NO_PROMPT: 1}
    assert DAMAGED not in left_out


def test_a_preference_asks_for_its_preferred_answer_and_a_graders_item_for_none(project):
    said = [{"role": "assistant", "content": text} for text in ("good", "bad")]
    asked = [{"role": "user", "content": "q"}]
    lines = [
        {
            "input": {"messages": asked},
            "preferred_output": said[:1],
            "non_preferred_output": said[1:],
        },
        {"messages": asked, "reference_answer": "42"},
        {"text": "plain"},
    ]
    found = [_of_line(at, json.dumps(each), None) for at, each in enumerate(lines)]
    assert found[0].expected_text == "good"
    assert list(found[0].prompt.messages) == asked
    assert found[1:] == [NO_ANSWER, NO_ANSWER]


def test_functions_of_the_older_protocol_are_sent_as_tools():
    call = {"name": "find", "arguments": '{"id": 7}'}
    fields = {
        "messages": [
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": None, "function_call": call},
        ],
        "functions": [{"name": "find", "parameters": {}}],
    }
    item = item_of(1, fields)
    assert item.prompt.tools == (
        {"type": "function", "function": {"name": "find", "parameters": {}}},
    )
    assert calls_of(item.expected) == (("find", {"id": 7}),)


def test_odd_replies_and_questions_are_kept_as_they_came(here, server, project):
    lines = [line(q, "x") for q in ("empty", "none", "huge", "broken", "call", "\ud83d alone")]
    run = start_run(project, RunPlan((BASE,)), read_items(project, import_lines(project, lines))[0])
    said = {
        "empty": "",
        "none": {"role": "assistant", "content": None, "refusal": "I will not."},
        "huge": "ab \U0001f600" * 50_000,
        "broken": "cut \ud83d here\0",
        "call": {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{"}}
            ],
        },
    }
    server.plan.answer = lambda body: said.get(body["messages"][-1]["content"], "fine")
    ask_run(project, run, pace=QUICK)
    kept = rows.replies_of(project, run.id)
    assert kept[0, 0].message["content"] == ""
    assert kept[0, 1].message["refusal"] == "I will not."
    assert kept[0, 2].message["content"] == said["huge"]
    assert kept[0, 3].message["content"] == said["broken"]
    assert kept[0, 4].message["tool_calls"][0]["function"]["arguments"] == "{"
    assert kept[0, 5].message["content"] == "fine"


def test_a_stream_that_was_cut_is_no_reply(here, server, project):
    server.fault(*CHAT, cut_mid_stream())
    run = ask_about(project, 1)
    ask_run(project, run, pace=QUICK)
    assert server.count(*CHAT) == 2


def test_a_key_stands_nowhere_in_the_project(here, server, project):
    server.plan.answer = lambda _: f"Your key is {KEY}."
    run = ask_about(project, 2)
    ask_run(project, run, pace=QUICK)
    project.close()
    assert KEY.encode() not in project.path.read_bytes()


@pytest.mark.parametrize("text", ["base", "base=", "base=here", "x=nowhere/m", "x=prompt:none"])
def test_what_names_no_candidate_is_wrong_use(here, text):
    with pytest.raises(WrongUse):
        RunCandidate.parse(text)


def test_candidates_are_named(here):
    named = RunCandidate.parse("tuned=here/org/model:7")
    assert (named.name, named.target, named.model) == ("tuned", "here", "org/model:7")
    assert RunCandidate.parse("here/m=1").name == "m=1"


def test_nothing_to_ask_is_said(here, project):
    with pytest.raises(WrongUse, match="nothing to ask"):
        start_run(project, RunPlan((BASE,)), ())
