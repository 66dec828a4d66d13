"""Only regular files are read; everything else is refused at once, in one sentence."""

import os
import sys

import pytest

from curator.dataset.errors import UnreadableInput
from curator.dataset.regular_files import open_regular, read_regular, require_regular

posix = pytest.mark.skipif(os.name != "posix", reason="pipes, devices and /proc are POSIX's")


@pytest.fixture
def odd(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    return tmp_path


@posix
@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pipe", "a pipe"),
        ("zero", "a device"),
        ("folder", "a folder"),
        ("loop", "cannot be read"),
        ("nothing", "No such file"),
        ("nul\0name", "NUL"),
        (".", "a folder"),
        ("/", "a folder"),
    ],
)
def test_what_is_no_file_is_refused_in_one_sentence(odd, name, words, monkeypatch):
    monkeypatch.chdir(odd)
    for read in (open_regular, require_regular, read_regular):
        with pytest.raises(UnreadableInput, match=words) as caught:
            read(name)
        assert str(caught.value).endswith(".")
        assert "\n" not in str(caught.value)
        assert "\0" not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("name", ["/proc/self/mem", "/proc/self/status", "/proc/kcore"])
def test_files_the_system_makes_up_are_refused(name):
    with pytest.raises(UnreadableInput, match="cannot be read"):
        open_regular(name)


@posix
def test_a_link_to_a_regular_file_is_that_file(tmp_path):
    (tmp_path / "real").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("real")
    assert read_regular(tmp_path / "link") == b"abc"
    with open_regular(str(tmp_path / "link")) as file:
        assert file.read() == b"abc"


def test_a_small_file_has_a_limit(tmp_path):
    (tmp_path / "big").write_bytes(b"x" * (1 << 20))
    assert len(read_regular(tmp_path / "big", 1 << 20)) == 1 << 20
    (tmp_path / "big").write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(UnreadableInput, match="larger than 1 MB"):
        read_regular(tmp_path / "big", 1 << 20)
