"""Files arrive whole: plainly or in parts, with progress, cancelled between parts, and only when lost."""

import pytest

from curator.dataset.errors import Cancelled, TargetError, WrongUse
from curator.tune.jobs.uploads import ensure_uploaded, wait_processed
from tests.tune.conftest import FAST
from tests.tune.protocol_server import raw, status


@pytest.fixture
def big(tmp_path):
    path = tmp_path / "big.jsonl"
    path.write_bytes(
        b'{"messages":[{"role":"user","content":"caf\xc3\xa9 \xe2\x80\xa8"}]}\n' * 5000
    )
    return path


def by_parts(connection):
    connection.target = connection.target.model_copy(update={"plain_upload_bytes": 1000})


def test_a_plain_upload_brings_every_byte_and_tells_how_far(connection, table, big, server):
    told = []
    file_id = ensure_uploaded(
        connection, table, big, progress=lambda d, t, w: told.append((d, t, w)),
        cancelled=lambda: False, pace=FAST,
    )  # fmt: skip
    assert server.contents[file_id] == big.read_bytes()
    sent = [done for done, _, what in told if what.startswith("Uploading")]
    assert sent == sorted(sent)
    assert sent[-1] == big.stat().st_size


def test_parts_arrive_in_order_and_whole(connection, table, big, server, quiet):
    by_parts(connection)
    file_id = ensure_uploaded(connection, table, big, part_bytes=50_000, pace=FAST, **quiet)
    assert server.contents[file_id] == big.read_bytes()
    assert server.count("POST", "/uploads/{id}/parts") == -(-big.stat().st_size // 50_000)
    assert server.count("POST", "/files") == 0


def test_a_part_that_fails_is_sent_again(connection, table, big, server, quiet):
    by_parts(connection)
    server.fault("POST", "/uploads/{id}/parts", status(500), status(429))
    file_id = ensure_uploaded(connection, table, big, part_bytes=100_000, pace=FAST, **quiet)
    assert server.contents[file_id] == big.read_bytes()


def test_cancel_between_parts_tells_the_server(connection, table, big, server):
    by_parts(connection)
    with pytest.raises(Cancelled):
        ensure_uploaded(
            connection, table, big, part_bytes=50_000, pace=FAST, progress=lambda *_: None,
            cancelled=lambda: server.count("POST", "/uploads/{id}/parts") >= 2,
        )  # fmt: skip
    assert server.count("POST", "/uploads/{id}/parts") == 2
    assert [upload["status"] for upload in server.uploads.values()] == ["cancelled"]
    assert server.files == {}


def test_a_plain_upload_that_fails_begins_again_from_the_start(
    connection, table, big, server, quiet
):
    server.fault("POST", "/files", status(500), status(503))
    file_id = ensure_uploaded(connection, table, big, pace=FAST, **quiet)
    assert server.contents[file_id] == big.read_bytes()
    assert server.count("POST", "/files") == 3


@pytest.mark.parametrize("fault", [status(401), status(400, "no"), raw("<html>Hi</html>")])
def test_a_refused_upload_is_one_sentence(connection, table, big, server, quiet, fault):
    server.fault("POST", "/files", fault, always=True)
    with pytest.raises(TargetError):
        ensure_uploaded(connection, table, big, pace=FAST, **quiet)
    assert server.count("POST", "/files") == 1


def test_too_large_a_file_is_not_sent(connection, table, big, server, quiet):
    connection.target = connection.target.model_copy(update={"max_file_bytes": 1000})
    with pytest.raises(WrongUse, match="takes at most 1,000"):
        ensure_uploaded(connection, table, big, pace=FAST, **quiet)
    assert server.requests == []


def test_waiting_ends_with_the_servers_word_or_with_patience(connection, server, quiet):
    server.files["f"] = {"id": "f", "object": "file", "status": "uploaded", "_polls": 2}
    assert wait_processed(connection, "f", pace=FAST, **quiet) == "processed"
    server.files["g"] = {"id": "g", "object": "file", "status": "uploaded", "_polls": 10**9}
    assert wait_processed(connection, "g", pace=FAST, **quiet) == "uploaded"


def test_waiting_can_be_cancelled(connection, server):
    server.files["g"] = {"id": "g", "object": "file", "status": "uploaded", "_polls": 10**9}
    with pytest.raises(Cancelled):
        wait_processed(
            connection, "g", pace=FAST, progress=lambda *_: None,
            cancelled=lambda: server.count("GET", "/files/{id}") > 2,
        )  # fmt: skip
