import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.curate.checks.privacy import SECRETS
from curator.curate.checks.secret_signs import SignSearch

SIGNS = ["-----BEGIN PRIVATE KEY-----", "AccountKey=", "hf_", "ghp_", "glpat-", "AIza", "k_live_"]
OTHERS = ["0123456789ABCDEF", "a", "Z9", "_", "-", ".", "://", ":", "@", "xoxb-", "sk-", "\\"]
PIECE = st.sampled_from([*SIGNS, *OTHERS, "AKIA", "eyJ"])


@given(st.lists(PIECE, max_size=12).map("".join), st.booleans())
def test_no_secret_is_without_a_sign(text, escaped):
    raw = json.dumps({"content": text}, ensure_ascii=escaped).encode()
    if any(kind.pattern.search(text) for kind in SECRETS):
        assert len(SignSearch().places(raw))


@pytest.mark.parametrize(
    "text", ["", "task-based well-known", "café", "risk-free", "a = b @ c", "A"]
)
def test_ordinary_words_have_none(text):
    assert SignSearch().places(json.dumps(text, ensure_ascii=False).encode()).tolist() == []


def test_an_escape_that_could_hide_a_sign_is_one():
    assert len(SignSearch().places(rb'"\u0073k-"'))
    assert len(SignSearch().places(rb'"http:\/\/x"'))
    assert not len(SignSearch().places(rb'"caf\u00e9 \n \u4f60"'))


def test_places_come_in_order():
    places = SignSearch().places(b"eyJ AKIA ghp_x ftp://a:bcd@h " * 3)
    assert len(places) == 12
    assert (np.diff(places) > 0).all()
