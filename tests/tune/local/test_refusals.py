"""Nothing that a client sends is passed over: it is done, or refused by its name, in the protocol's shape."""

import asyncio
import json
import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from curator.tune.local.server.app import create_app
from curator.tune.local.server.chat_requests import (
    _ABOUT_THE_CALLER,
    _NEUTRAL,
    ChatRequest,
    CompletionRequest,
)
from curator.tune.local.server.queue import Queue

TOKEN = "t0ken"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
ASKED = {
    "/v1/chat/completions": {"model": "tiny", "messages": [{"role": "user", "content": "x"}]},
    "/v1/completions": {"model": "tiny", "prompt": "x"},
    "/v1/fine_tuning/jobs": {"model": "tiny", "training_file": "file-0"},
    "/v1/uploads": {"bytes": 1, "filename": "a", "mime_type": "text/jsonl", "purpose": "fine-tune"},
    "/v1/uploads/upload-0/complete": {"part_ids": []},
}
KNOWN = {
    *ChatRequest.model_fields, *CompletionRequest.model_fields, *_NEUTRAL, *_ABOUT_THE_CALLER,
    *(name for body in ASKED.values() for name in body), "suffix", "seed", "validation_file",
    "method", "hyperparameters", "metadata", "integrations", "expires_after", "md5",
}  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return create_app(Queue(tmp_path_factory.mktemp("local")), TOKEN)


@pytest.fixture(scope="module")
def client(app):
    return TestClient(
        app, base_url="http://127.0.0.1", headers=HEADERS, raise_server_exceptions=False
    )


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.differing_executors])
@given(
    st.sampled_from(sorted(ASKED)),
    st.text(min_size=1, max_size=20).filter(lambda name: name not in KNOWN),
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just({}) | st.just([]),
)
def test_a_key_that_nobody_knows_is_refused_by_its_name(client, path, name, value):
    answer = client.post(path, json={**ASKED[path], name: value})
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, name, "unknown_parameter")


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    st.sampled_from(
        ["/", "/v1", "/v1/", "/v2/models", "/v1/files/", "/v1/embeddings", "/v1/chat", "/v1/models/",
         "/v1/files/file-0/content/more", "/v1/uploads/upload-0", "/v1/batches", "/favicon.ico"]
    ) | st.text("ab1/-._~@: ", max_size=20).map(lambda text: f"/v1/x{text}"),
)  # fmt: skip
def test_a_path_or_a_method_there_is_not_is_told_in_json(client, method, path):
    answer = client.request(method, path, follow_redirects=False)
    assert answer.status_code in (400, 404, 405)
    error = answer.json()["error"]
    assert error["message"]
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", [*ASKED, "/v1/files"])
def test_another_method_names_the_ones_there_are(client, path):
    answer = client.delete(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"]


def test_a_fault_of_the_server_is_told_in_json(client, monkeypatch):
    def fail(_queue):
        raise RuntimeError("boom")

    monkeypatch.setattr(Queue, "all", fail)
    answer = client.get("/v1/fine_tuning/jobs")
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "server_error")


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/v1/files", {"Content-Type": "multipart/form-data; boundary=x"}, b"--y broken"),
        ("/v1/files", {"Content-Type": "multipart/form-data"}, b"no boundary"),
        ("/v1/files", {"Content-Type": "text/plain"}, b"x"),
        ("/v1/files", {}, b""),
        ("/v1/uploads", {}, b"\xff\xfe"),
        ("/v1/uploads", {}, b"[" * 100_000),
        ("/v1/chat/completions", {}, b'{"model": "\\ud800"}'),
    ],
)
def test_bodies_that_are_none_are_refused_in_json(client, path, headers, body):
    answer = client.post(path, headers=headers, content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "path", ["/v1/files", "/v1/chat/completions", "/v1/fine_tuning/jobs", "/v1/uploads"]
)
@pytest.mark.parametrize("kind", [b"application/json", b"multipart/form-data; boundary=x"])
def test_a_client_that_hangs_up_leaves_no_trace(app, caplog, path, kind):
    """In the middle of its body, and while it should hear the answer."""
    sent = []

    async def hang_up():
        parts = iter([{"type": "http.request", "body": b'--x\r\n{"a', "more_body": True}])

        async def receive():
            return next(parts, {"type": "http.disconnect"})

        async def send(message):
            sent.append(message)

        headers = [(b"host", b"127.0.0.1"), (b"content-type", kind)]
        headers.append((b"authorization", f"Bearer {TOKEN}".encode()))
        scope = {"type": "http", "asgi": {"spec_version": "2.4"}, "method": "POST", "path": path,
                 "raw_path": path.encode(), "query_string": b"", "headers": headers,
                 "http_version": "1.1", "scheme": "http", "root_path": ""}  # fmt: skip
        await app(scope, receive, send)

    with caplog.at_level(logging.DEBUG):
        asyncio.run(hang_up())
    assert "Traceback" not in caplog.text
    assert [message.get("status") for message in sent[:1]] in ([499], [400], [])


def test_large_files_come_in_parts(client):
    def begin(size=10, **more):
        body = {**ASKED["/v1/uploads"], "bytes": size, **more}
        return client.post("/v1/uploads", json=body).json()

    def part(upload, data):
        return client.post(f"/v1/uploads/{upload['id']}/parts", files={"data": data})

    def complete(upload, **body):
        return client.post(f"/v1/uploads/{upload['id']}/complete", json=body)

    upload = begin(expires_after={"anchor": "created_at", "seconds": 3600})
    assert (upload["status"], upload["expires_at"] - upload["created_at"]) == ("pending", 3600)
    first, second = (part(upload, data).json() for data in (b"world", b"hello"))
    order = [second["id"], first["id"]]
    assert part(upload, b"!").json()["error"]["param"] == "data"
    for wrong in (
        {"part_ids": order[:1]}, {"part_ids": ["part-0"]}, {"part_ids": "x"}, {},
        {"part_ids": order, "md5": "0" * 32},
    ):  # fmt: skip
        assert complete(upload, **wrong).status_code == 400
    done = complete(upload, part_ids=order, md5="fc5e038d38a57032085441e7fe7010b0").json()
    assert (done["status"], done["file"]["bytes"]) == ("completed", 10)
    assert done["file"]["expires_at"] - done["file"]["created_at"] == 3600
    assert client.get(f"/v1/files/{done['file']['id']}/content").content == b"helloworld"
    assert json.loads(json.dumps(done)).keys() == upload.keys()
    assert complete(upload, part_ids=order).json()["error"]["code"] == "upload_closed"
    other = begin()
    part(other, b"x")
    assert client.post(f"/v1/uploads/{other['id']}/cancel").json()["status"] == "cancelled"
    assert part(other, b"x").status_code == 400
    assert client.post("/v1/uploads/upload-0/cancel").status_code == 404
    for wrong in (
        {"bytes": 0}, {"bytes": True}, {"bytes": 10**12}, {"purpose": "x"}, {"filename": ""},
        {"expires_after": {"anchor": "x"}}, {"expires_after": 3},
    ):  # fmt: skip
        answer = client.post("/v1/uploads", json={**ASKED["/v1/uploads"], **wrong})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, next(iter(wrong)))
