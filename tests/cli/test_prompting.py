# ruff: noqa: F401, F811 - fixtures come by name
"""Prompt variants on the command line."""

from tests.cli.test_training import export, server


def test_a_variant_is_made_asked_and_removed(curator, export, server, tmp_path):
    made = ("prompts", "add", "few", "--target", "here", "--base", "gpt-4.1-mini")
    code, told = curator(*made, "--shots", 3, "--from", export, "--pick", "nearest")
    assert code == 0, told
    assert told["prompts"][0]["candidate"] == "prompt:few"
    assert told["prompts"][0]["shots"] == 3
    code, told = curator("ask", "--target", "here", "--candidate", "prompt:few", "What now?")
    assert code == 0
    assert "What now?" in told["reply"]
    assert len(server.bodies[-1]["messages"]) == 7
    words = tmp_path / "system.txt"
    words.write_text("Be brief.\n")
    code, told = curator(*made, "--system-file", words)
    assert told["prompts"][0]["system"] == "Be brief."
    assert curator("prompts", "remove", "few")[1] == {"prompts": [], "unreadable": []}
    code, told = curator("prompts", "remove", "few")
    assert (code, told["error"]["kind"]) == (2, "wrong_use")


def test_no_demonstrations_come_from_a_file_that_changed_after_its_export(curator, export, server):
    made = ("prompts", "add", "few", "--target", "here", "--base", "gpt-4.1-mini")
    train = export / "train.jsonl"
    train.write_bytes(train.read_bytes().replace(b"a", b"b", 1))
    code, told = curator(*made, "--shots", 3, "--from", export)
    assert (code, told["error"]["kind"]) == (2, "unreadable_input")
    assert "not what its manifest says" in told["error"]["message"]
    assert curator("prompts", "list")[1]["prompts"] == []
