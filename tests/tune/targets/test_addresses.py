"""Pasted addresses are mended or explained."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.dataset.errors import WrongUse
from curator.tune.targets.addresses import fix_address, host_of, is_loopback


@pytest.mark.parametrize(
    ("given_url", "mended", "words"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1", []),
        (" https://api.openai.com/v1/ ", "https://api.openai.com/v1", []),
        ("https://x.org/v1/chat/completions", "https://x.org/v1", ["/chat/completions"]),
        ("https://x.org/v1/fine_tuning/jobs/", "https://x.org/v1", ["/fine_tuning/jobs"]),
        ("https://r.openai.azure.com/openai/v1?api-version=2024-10-21",
         "https://r.openai.azure.com/openai/v1", ["api-version"]),
        ("https://x.org", "https://x.org", ["no version"]),
        ("http://10.0.0.5:8000/v1", "http://10.0.0.5:8000/v1", ["clear text"]),
        ("http://localhost:8000/v1", "http://localhost:8000/v1", []),
        ("http://127.0.0.1/v1", "http://127.0.0.1/v1", []),
        ("http://x.org/chat/completions?a=1", "http://x.org",
         ["api-version", "/chat/completions", "no version", "clear text"]),
    ],
)  # fmt: skip
def test_traps(given_url, mended, words):
    url, notes = fix_address(given_url)
    assert url == mended
    assert len(notes) == len(words)
    for word, note in zip(words, notes, strict=True):
        assert word in note


@pytest.mark.parametrize(
    "url", ["", "api.openai.com/v1", "ftp://x/v1", "https://", "https://a:b@x/v1"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(WrongUse):
        fix_address(url)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8/v1", True), ("http://[::1]:8/v1", True), ("http://localhost/v1", True),
        ("http://127.8.8.8/v1", True), ("http://127.0.0.1.evil.org/v1", False),
        ("https://api.openai.com/v1", False), ("http://0.0.0.0/v1", False), ("nonsense", False),
    ],
)  # fmt: skip
def test_loopback_is_only_this_computer(url, local):
    assert is_loopback(url) is local


def test_the_host_is_shown_without_anybodys_password():
    assert host_of("https://me:secret@x.org:8/v1") == "x.org:8"


@given(st.text())
def test_any_text_is_mended_or_refused(text):
    try:
        url, _ = fix_address(text)
    except WrongUse:
        return
    assert fix_address(url)[0] == url
