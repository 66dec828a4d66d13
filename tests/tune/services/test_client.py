"""Whatever a server answers becomes an answer of the right type or one sentence without the key."""

import traceback

import pytest

from curator.dataset.errors import TargetError, WrongUse
from curator.tune.services.client import CallFailed, Connection
from curator.tune.targets.keys import Key
from tests.tune.protocol_server import KEY, raw, silence, status

JOBS = ("GET", "/fine_tuning/jobs")


def list_jobs(connection):
    from openai.types.fine_tuning import FineTuningJob

    return connection.list_bounded(
        FineTuningJob,
        "listing fine-tuning jobs",
        lambda sdk, more: sdk.fine_tuning.jobs.list(**more),
    )


def failure(connection, what=list_jobs):
    with pytest.raises(CallFailed) as caught:
        what(connection)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert KEY not in shown
    assert caught.value.__context__ is None
    return caught.value


def test_an_answer_of_the_right_type_comes_through(connection, server):
    server.files["f"] = {"id": "f", "status": "processed"}
    server.make_job({"model": "gpt-4.1-mini", "training_file": "f"})
    found = list_jobs(connection)
    assert found.complete
    assert [job.model for job in found.items] == ["gpt-4.1-mini"]
    assert server.headers[-1]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("fault", "code", "outcome", "words"),
    [
        (status(401, "no"), 401, "refused", "does not accept the API key"),
        (status(403, "no"), 403, "refused", "OpenAI is closing fine-tuning"),
        (status(404, "no"), 404, "refused", "has no fine-tuning API"),
        (status(429, "slow"), 429, "refused", "asks to slow down"),
        (status(429, "pay", error_code="insufficient_quota"), 429, "refused", "no credit left"),
        (status(500, "oops"), 500, "unclear", "error of its own (500)"),
        (status(502, "oops"), 502, "unclear", "error of its own (502)"),
        (status(400, "bad thing"), 400, "refused", "bad thing"),
        (raw("<html>moved</html>", code=302), 302, "refused", "another address"),
        (raw("<html><body>Hello</body></html>"), None, "unclear", "not an OpenAI-compatible"),
        (raw("<html>", kind="application/json"), None, "unclear", "not an OpenAI-compatible"),
        (raw("[1, 2]", kind="application/json"), None, "unclear", "not an OpenAI-compatible"),
        (raw('{"data": 3}', kind="application/json"), None, "unclear", "OpenAI-compatible"),
        (raw("null", kind="application/json"), None, "unclear", "not an OpenAI-compatible"),
        (raw("", kind="application/json"), None, "unclear", "not an OpenAI-compatible"),
    ],
)
def test_every_fault_is_one_sentence(connection, server, fault, code, outcome, words):
    server.fault(*JOBS, fault, always=True)
    error = failure(connection)
    assert words in str(error)
    assert (error.status, error.outcome) == (code, outcome)


def test_retry_after_is_read(connection, server):
    for told, seconds in (("300", 300.0), ("1e9", 3600.0), ("-1", 0.0), ("nan", None)):
        server.fault(*JOBS, status(429, headers={"Retry-After": told}))
        assert failure(connection).retry_after == seconds


def test_a_time_out_is_unclear(target, server):
    server.fault(*JOBS, silence(1.0), always=True)
    with Connection(target, Key(KEY), read_s=0.1) as connection:
        error = failure(connection)
    assert (error.code, error.outcome, error.is_passing) == ("timeout", "unclear", True)


def test_a_server_that_is_not_there_was_sent_nothing(target):
    gone = target.model_copy(update={"base_url": "http://127.0.0.1:9/v1"})
    with Connection(gone, Key(KEY), read_s=2.0) as connection:
        error = failure(connection)
    assert (error.code, error.outcome) == ("unreachable", "not_sent")


def test_a_server_that_echoes_the_key_does_not_get_it_shown(target):
    wrong = "sk-proj-AnotherWrongKey-0123456789abcdef"
    with Connection(target, Key(wrong)) as connection:
        error = failure(connection)
    assert wrong not in str(error)
    assert "[key]" in str(error)


def test_pages_that_never_end_do_end(connection, server):
    server.plan.endless = True
    server.files["f"] = {"id": "f", "status": "processed"}
    for _ in range(3):
        server.make_job({"model": "gpt-4.1-mini", "training_file": "f"})
    found = list_jobs(connection)
    assert len(found.items) == 3
    assert found.complete
    assert server.count(*JOBS) == 2


def test_pages_are_capped(connection, server):
    server.files["f"] = {"id": "f", "status": "processed"}
    for _ in range(9):
        server.make_job({"model": "gpt-4.1-mini", "training_file": "f"})
    from openai.types.fine_tuning import FineTuningJob

    found = connection.list_bounded(
        FineTuningJob, "x", lambda sdk, more: sdk.fine_tuning.jobs.list(**more),
        max_pages=2, page_size=3,
    )  # fmt: skip
    assert len(found.items) == 6
    assert not found.complete


def test_no_proxy_comes_between_this_computer_and_itself(connection, server, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert list_jobs(connection).complete


def test_what_the_environment_says_of_openai_stays_from_others(target, server, monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "admin-secret")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: one\nAuthorization: Bearer two")
    with Connection(target, Key(KEY)) as connection:
        list_jobs(connection)
    sent = server.headers[-1]
    assert "secret" not in " ".join(sent.values())
    assert "x-secret" not in sent
    assert sent["authorization"] == f"Bearer {KEY}"


def test_an_api_key_header_goes_without_authorization(target, server):
    azure = target.model_copy(update={"auth": "api-key", "extra_headers": {"X-Role": "a"}})
    with Connection(azure, Key(KEY)) as connection:
        list_jobs(connection)
    assert server.headers[-1]["api-key"] == KEY
    assert server.headers[-1]["x-role"] == "a"
    assert "authorization" not in server.headers[-1]


def test_an_unfinished_address_is_not_called(target):
    with pytest.raises(WrongUse, match="not complete"):
        Connection(target.model_copy(update={"base_url": "https://{region}.x/v1"}), None)


def test_errors_of_the_client_are_target_errors():
    assert issubclass(CallFailed, TargetError)
