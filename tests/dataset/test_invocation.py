"""Printed commands can be pasted: the shell reads back the very words, and the program starts."""

import shlex
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.cli.answer import pasteable
from curator.dataset.invocation import CALLED_AS, command, quoted

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="another shell")

words = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))


@given(words)
def test_a_shell_reads_the_very_words(given_words):
    assert shlex.split(quoted(*given_words)) == given_words
    assert shlex.split(command(*given_words))[-len(given_words) :] == given_words or not given_words


def test_the_command_starts_this_program():
    line = command("--version")
    done = subprocess.run(["sh", "-c", line], capture_output=True, encoding="utf-8", check=False)
    assert done.stdout.startswith("curator "), (line, done.stderr)


def test_a_checkout_is_called_as_it_was(monkeypatch):
    monkeypatch.setenv(CALLED_AS, "./my dev")
    assert command("new", "a b.curator") == "'./my dev' run new 'a b.curator'"


def test_another_program_of_that_name_is_not_named(monkeypatch, tmp_path):
    (tmp_path / "curator").write_text("#!/bin/sh\necho another\n")
    (tmp_path / "curator").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not command().startswith("curator")


def test_the_commands_in_a_sentence_are_called_as_here(monkeypatch):
    monkeypatch.setenv(CALLED_AS, "./dev")
    told = 'There is none; curator jobs list shows all ("curator trainer --install").'
    assert pasteable(told) == (
        'There is none; ./dev run jobs list shows all ("./dev run trainer --install").'
    )
    assert pasteable(pasteable("/x/curator new a")) == "/x/curator new a"
