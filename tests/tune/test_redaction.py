"""Whatever a service sends with our key in it, the key is neither shown nor written, names of files included."""

import base64
import json
import logging
import traceback
from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse

from curator.app.excepthook import report_of
from curator.cli.main import main
from curator.tune.evaluation.chatting import Question, ask
from curator.tune.jobs.following import refresh
from curator.tune.jobs.table import Job
from curator.tune.redaction import PiecewiseRedactor, Redactor, remember
from curator.tune.services.client import CallFailed
from curator.tune.services.port import State
from curator.tune.targets.profiles import derive_target, save_target
from tests.tune.protocol_server import KEY, cut_mid_stream, said_mid_stream, status

FORMS = {
    "plain": KEY,
    "upper case": KEY.upper(),
    "without its end": KEY[:-4] + "****",
    "its middle": KEY[6:-6],
    "in a sentence": f"Incorrect API key: {KEY}. See https://x.example/?key={KEY}",
    "base64": base64.b64encode(KEY.encode()).decode(),
    "as a path": f"../{KEY}/{KEY}.jsonl",
}
secrets = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=70)
texts = st.text(max_size=60)


def shows(text, secret=KEY):
    """Say whether 12 characters of a secret in a row stand in a text, or the whole of a short one."""
    size = 12 if len(secret) >= 16 else len(secret)
    low = text.lower()
    return any(
        form[at : at + size].lower() in low
        for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("="))
        for at in range(len(form) - size + 1)
    )


@settings(deadline=None)
@given(secrets, texts, texts, st.integers(0, 40), st.integers(0, 40))
def test_no_piece_of_a_key_stays_in_a_text(secret, before, after, start, end):
    redactor = Redactor(secret)
    for part in (secret, secret[start : len(secret) - end], quote(secret, safe="")):
        assert not shows(redactor.text(f"{before}{part}{after}").replace("[key]", "\0"), secret)


@settings(deadline=None)
@given(texts)
def test_a_text_without_the_key_stays_as_it_is(text):
    redactor = Redactor("sk-0123456789abcdefghij")
    assert redactor.text(text) == text
    piecewise = PiecewiseRedactor(redactor)
    assert "".join([*map(piecewise.take, text), piecewise.rest()]) == text


@settings(deadline=None)
@given(secrets, texts, texts, st.lists(st.integers(1, 9), max_size=60))
def test_a_key_is_hidden_however_a_text_is_cut_into_pieces(secret, before, after, sizes):
    text = f"{before}{secret}{secret[:-3]}{after}"
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    pieces.append(text[at:])
    redactor = PiecewiseRedactor(Redactor(secret))
    said = "".join([*map(redactor.take, pieces), redactor.rest()])
    assert not shows(said.replace("[key]", "\0"), secret)
    binary = [b"\0", *(piece.encode() for piece in pieces)]
    stream = b"".join(Redactor(secret).stream(iter(binary)))
    assert secret.encode() not in stream
    assert len(stream) == len(b"".join(binary))
    words = b"".join(Redactor(secret).stream(iter(binary[1:]))).decode("latin-1")
    assert not shows(words.replace("[key]", "\0"), secret)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts | st.just(KEY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.just(KEY), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(json_values)
def test_every_text_of_an_answer_is_cleared_and_nothing_else_changes(value):
    from openai.types.fine_tuning import FineTuningJob
    from openai.types.fine_tuning.fine_tuning_job import Error

    redactor = Redactor(KEY)
    made = FineTuningJob.construct(id=KEY, error=Error.construct(message=KEY), extra=value)
    cleared = redactor.answer(made)
    assert not shows(repr(cleared))
    assert json.loads(json.dumps(value).replace(KEY, "[key]")) == cleared.extra
    assert cleared.error.message == "[key]"


def echo(form, leaving=("object", "type", "role")):
    """Answer rightly, with the key in every text of the answer."""

    def filled(value, name=""):
        if isinstance(value, dict):
            return {n: filled(v, n) for n, v in value.items()} | {"x_extra": {form: form}}
        if isinstance(value, list):
            return [filled(each, name) for each in value]
        if value is None or (isinstance(value, str) and name not in leaving):
            return f"{value or ''}{form}"
        return value

    async def answer(_server, request, go):
        right = await go(request)
        if isinstance(right, StreamingResponse):
            return right
        try:
            return JSONResponse(filled(json.loads(right.body)), right.status_code)
        except ValueError:
            return PlainTextResponse(right.body.decode() + form, right.status_code)

    return answer


ROUTES = [
    ("GET", "/models"),
    *((method, "/files") for method in ("GET", "POST")),
    ("GET", "/files/{id}"),
    ("GET", "/files/{id}/content"),
    *((method, "/fine_tuning/jobs") for method in ("GET", "POST")),
    ("GET", "/fine_tuning/jobs/{id}"),
    ("GET", "/fine_tuning/jobs/{id}/events"),
    ("GET", "/fine_tuning/jobs/{id}/checkpoints"),
]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("end", ["succeeded", "failed"])
def test_a_service_that_echoes_the_key_gets_it_nowhere(
    server, train_file, tmp_path, monkeypatch, capfd, caplog, form, end
):
    """Every verb that asks a service, as text and as JSON, and every file that is there afterwards."""
    for name in ("openai", "httpx2", "httpcore2"):
        caplog.set_level(logging.DEBUG, logger=name)
    monkeypatch.setattr("curator.tune.jobs.following.next_wait", lambda *_: 0.0)
    monkeypatch.setenv("CURATOR_MINE_KEY", KEY)
    save_target(derive_target("custom", "mine", "", {"address": server.url}))
    server.plan.end, server.plan.file_polls = end, 0
    server.plan.reply = f"The key is {form}"
    if end == "failed":
        server.plan.error = {"code": "no", "message": "Example 1 is wrong", "param": "file"}
    keep = ("object", "type", "role", "id", "status", "training_file", "result_files")
    for route in ROUTES:
        server.fault(*route, echo(form, keep), always=True)
    out = tmp_path / "downloads"
    for more in ([], ["--json"]):
        main(
            ["train", str(train_file.parent), "--target", "mine", "--base", "b", "--follow", *more]
        )
        job = list(server.jobs)[-1]
        for words in (
            ["targets", "test", "mine"], ["models", "--target", "mine"], ["jobs", "list"],
            ["jobs", "show", job], ["jobs", "follow", job], ["jobs", "download", job, str(out)],
            ["jobs", "lineage", job], ["ask", "mine/b", "Hello?"],
        ):  # fmt: skip
            main([*words, *more])
        for route in ROUTES:
            server.fault(*route, status(500, form, error_code=form), always=True)
        main(["jobs", "download", job, str(out), *more])
        for route in ROUTES:
            server.fault(*route, echo(form, keep), always=True)
    shown = capfd.readouterr()
    assert len(shown.out) > 500
    assert not shows(shown.out + shown.err)
    assert len(caplog.text) > 500
    assert not shows(caplog.text)
    if end == "succeeded":
        assert list(out.iterdir())
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "jobs.sqlite" for path in written)
    for path in written:
        assert not shows(str(path.relative_to(tmp_path)))
        assert not shows(path.read_bytes().decode("latin-1")), path


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_ids_and_status_words_are_cleared_too(connection, table, server, form):
    server.files["file-1"] = {"id": "file-1", "status": "processed"}
    made = server.make_job({"model": "b", "training_file": "file-1"})
    table.add(Job("tok", "openai", server.url, "b", job=made["id"], status=State.QUEUED))
    for route in ROUTES:
        server.fault(*route, echo(form), always=True)
    news = refresh(connection, table, "tok", insisting=False)
    assert not shows(repr(news) + repr(table.all()) + repr(table.events("tok")))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("fault", ["error", "mid stream", "whole", "cut"])
def test_a_reply_that_holds_the_key_is_cleared_as_it_comes(connection, server, form, fault):
    place = ("POST", "/chat/completions")
    server.plan.reply = f"It is {form} and {form}"
    if fault == "error":
        server.fault(*place, status(400, form, error_code=form))
    elif fault != "whole":
        server.fault(*place, said_mid_stream(form) if fault == "mid stream" else cut_mid_stream())
    said = []
    with suppress(CallFailed) as _:
        try:
            said.append(ask(connection, Question(f"m{form}", ()), on_text=said.append))
        except CallFailed as error:
            said += [*traceback.format_exception(error), report_of(error), error.code, error.param]
            raise
    assert said
    assert not shows(repr(said))


def test_reports_and_logs_are_cleared_of_keys_that_were_used(caplog):
    remember(KEY)
    with pytest.raises(RuntimeError) as caught:
        raise RuntimeError(f"no such thing: {KEY}")
    assert not shows(report_of(caught.value))
    logging.getLogger("some.sdk").error("sent %s", {"Auth": KEY}, exc_info=caught.value)
    assert "sent" in caplog.text
    assert not shows(caplog.text)
