"""A name that one system cannot write as it is, is a name on none."""

from pathlib import PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.dataset.file_names import is_reserved

DEVICES = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "COM1", "LPT9", "COM¹", "LPT³"]


@given(
    st.sampled_from(DEVICES),
    st.sampled_from(["", ".txt", ".tar.gz", " ", "  .x", ":stream", ".", ". "]),
    st.booleans(),
)
def test_devices_are_reserved_in_every_disguise(device, end, lower):
    name = (device.lower() if lower else device) + end
    assert is_reserved(name)


@given(st.text("abcnulopt019 .:$¹-_é", min_size=1, max_size=10))
def test_what_windows_reserves_is_reserved_here(name):
    if PureWindowsPath(name).is_reserved():
        assert is_reserved(name)


@pytest.mark.parametrize(
    "name", ["a<b", "a|b", "a?", "a\x00b", "a\nb", "end.", "end ", "a\\b", "*"]
)
def test_what_cannot_be_written_everywhere_is_refused(name):
    assert is_reserved(name)


@pytest.mark.parametrize(
    "name", ["console", "nullable", "com10", "lpt", "a.con", "café", "a b", "x"]
)
def test_ordinary_names_are_free(name):
    assert not is_reserved(name)
