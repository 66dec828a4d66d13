"""The addresses of images: what a service can read an image from, and what it would skip in silence."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.curate.checks import check_conversation
from curator.curate.checks.addresses import fault_of
from curator.dataset import Conversation
from tests.curate.rule_examples import PIXEL


def data(kind, content):
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 8
WEBP = b"RIFF\0\0\0\0WEBPVP8 "
GIF = b"GIF89a" + b"\0" * 6


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a.png",
        "HTTPS://example.org/a",
        "http://example.org:8080/a.webp?x=1#y",
        "https://93.184.216.34/a.jpg",
        PIXEL,
        data("png", PNG),
        data("jpeg", JPEG),
        data("jpg", JPEG),
        data("webp", WEBP),
        data("PNG", PNG).replace("data:", "DATA:"),
    ],
)
def test_what_a_service_can_read_is_no_fault(url):
    assert fault_of(url, may_fetch=True) is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("./images/a.png", "path on a computer"),
        ("images/a.png", "path on a computer"),
        ("a.png", "path on a computer"),
        ("/home/x/a.png", "path on a computer"),
        ("~/a.png", "path on a computer"),
        ("C:\\pictures\\a.png", "path on a computer"),
        ("\\\\server\\share\\a.png", "path on a computer"),
        ("file:///home/x/a.png", "file on a computer"),
        ("FILE:a.png", "file on a computer"),
        ("ftp://example.org/a.png", "begins with ftp:"),
        ("s3://bucket/a.png", "begins with s3:"),
        ("blob:https://example.org/1", "begins with blob:"),
        ("http://localhost/a.png", "no service can reach"),
        ("http://127.0.0.1:8000/a.png", "no service can reach"),
        ("https://192.168.1.4/a.png", "no service can reach"),
        ("https://[::1]/a.png", "no service can reach"),
        ("https://nas.local/a.png", "no service can reach"),
        ("https:///a.png", "names no computer"),
        ("https://", "names no computer"),
        ("http://[::1/a.png", "names no computer"),
        ("https://example.org/my gate.png", "space"),
        ("https://example.org/a.png\n", "space"),
        (" ", "is empty"),
        (base64.b64encode(PNG).decode(), "without the beginning"),
        (base64.b64encode(JPEG).decode(), "without the beginning"),
        ("data:image/png;base64,iVBORw0KGgo...truncated", "broken base64 (character 12)"),
        (data("png", PNG)[:-1], "broken base64"),
        (data("png", PNG) + "==", "broken base64"),
        (data("png", PNG).replace(",", ", "), "broken base64 (character 1)"),
        ("data:image/png;base64,", "holds no image"),
        ("data:image/png;base64", "without a comma"),
        ("data:image/png,abc", "does not say that it is base64"),
        ("data:;base64,abcd", "what type of image"),
        ("data:text/plain;base64,abcd", "what type of image"),
        ("data:application/octet-stream;base64,abcd", "what type of image"),
        (data("png", JPEG), "calls its image png, but it is jpeg"),
        (data("jpeg", WEBP), "calls its image jpeg, but it is webp"),
        (data("png", GIF), "but it is gif"),
        (data("png", b"hello, world"), "no image of a known type"),
    ],
)
def test_what_it_would_skip_is_named(url, said):
    fault = fault_of(url, may_fetch=True)
    assert fault is not None
    assert said in fault.problem
    assert fault.way_out.endswith(".") or "base64," in fault.way_out


def test_a_service_that_fetches_nothing_takes_the_image_itself_only():
    assert fault_of("https://example.org/a.png", may_fetch=False) is not None
    assert fault_of(PIXEL, may_fetch=False) is None


@given(st.text(max_size=30) | st.text(max_size=20).map("data:image/png;base64,".__add__))
def test_no_address_is_too_odd(url):
    fault_of(url, may_fetch=True)


def talk(*contents):
    roles = ("user", "assistant") * len(contents)
    return Conversation(
        {"messages": [{"role": r, "content": c} for r, c in zip(roles, contents, strict=False)]}
    )


def found(conversation, profile):
    rules = {f.rule for f in check_conversation(conversation, profile=profile)}
    return rules & {"V07", "V08", "V09", "V10"}


def test_together_takes_data_addresses_and_all_messages_as_parts_or_none():
    def image(url):
        return [{"type": "image_url", "image_url": {"url": url}}]

    words = [{"type": "text", "text": "A gate."}]
    web = "https://example.org/a.png"
    assert found(talk(image(PIXEL), words), "together") == set()
    assert found(talk(image(web), words), "together") == {"V07"}
    assert found(talk(image(PIXEL), "A gate."), "together") == {"V09"}
    assert found(talk(words, "A gate."), "together") == {"V09"}
    assert found(talk("Which?", "A gate."), "together") == set()
    assert found(talk(image(web), "A gate."), "openai_sft") == set()
