"""Every argument has stated bounds: what lies outside is refused before anything is read or changed."""

import argparse

import pytest

from curator.cli.arguments import names
from curator.cli.main import build_parser

PARSER = build_parser()
BLANK = ("", " ", "\t\n", "\u00a0")
NO_NUMBER = ("inf", "-inf", "nan", "-1", "1e999", "-1e-9", "-" + "9" * 30, "one", "0x10", "²")
HUGE = ("9" * 30, "9" * 5_000)
UNBOUNDED = {"check --limit", "history --limit", "suspects --limit"}
"""Where a huge number has a meaning: all of them."""


def walk(parser, path=()):
    """Yield every argument that takes a value, with the words of its verb."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from walk(inner, (*path, name))
        elif path and action.nargs != 0:
            yield pytest.param(path, action, id=f"{' '.join(path)} {shown(action)}")


def shown(action):
    return action.option_strings[0] if action.option_strings else action.metavar or action.dest


def words(parser, path, chosen, value):
    """Return a command that gives one argument this value, and what else its verb needs."""
    found, parts = [], {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            parts = action.choices
            continue
        needed = action.required and action.option_strings
        given = (
            value if action is chosen else "x" if not action.choices else next(iter(action.choices))
        )
        if action.option_strings and (action is chosen or needed):
            found.append(f"{action.option_strings[0]}={given}")
        elif not action.option_strings and (action is chosen or action.nargs != "?"):
            found.append(given)
    if path:
        found += [path[0], *words(parts[path[0]], path[1:], chosen, value)]
    elif parts:
        found += [next(iter(parts)), *words(next(iter(parts.values())), (), chosen, value)]
    return found


EVERY = list(walk(PARSER))
NUMBERS = [each for each in EVERY if each.values[1].type not in (None, names)]


@pytest.mark.parametrize(("path", "action"), EVERY)
def test_no_argument_is_taken_blank(path, action, curator, monkeypatch):
    monkeypatch.setattr("curator.cli.main.build_parser", lambda: PARSER)
    for value in BLANK:
        code, told = curator(*words(PARSER, path, action, value))
        assert (code, told["error"]["kind"]) == (2, "wrong_use"), told


@pytest.mark.parametrize(("path", "action"), NUMBERS)
def test_a_number_is_taken_only_within_its_bounds(path, action, curator, monkeypatch):
    monkeypatch.setattr("curator.cli.main.build_parser", lambda: PARSER)
    name = f"{' '.join(path)} {shown(action)}"
    for value in NO_NUMBER if name in UNBOUNDED else (*NO_NUMBER, *HUGE):
        code, told = curator(*words(PARSER, path, action, value))
        assert (code, told["error"]["kind"]) == (2, "wrong_use"), (value, told)
        assert shown(action) in told["error"]["message"], told
        assert " to " in told["error"]["message"] or "or more" in told["error"]["message"]
        assert len(told["error"]["message"]) < 300, told


PLACES = {"P", "P|FILE", "P|DIR", "FILE", "DIR", "FOLDER", "OUT.tsv", "SOURCE"}


@pytest.mark.parametrize(
    ("path", "action"), [each for each in EVERY if each.values[1].metavar not in PLACES]
)
def test_what_names_no_file_is_text(path, action, curator, monkeypatch):
    monkeypatch.setattr("curator.cli.main.build_parser", lambda: PARSER)
    for value in ("\udcff", "a\udcffb", "a=\udcff"):
        code, told = curator(*words(PARSER, path, action, value))
        assert (code, told["error"]["kind"]) == (2, "wrong_use"), told


def test_numbers_are_told_from_other_arguments():
    assert len(NUMBERS) >= 13
    assert not [each.id for each in EVERY if each.values[1].type in (int, float)]


@pytest.mark.parametrize("ids", ["²", "9" * 30, "9" * 5_000, "-1", "1e3", "nan"])
def test_an_id_that_no_project_can_have_is_refused(ids, curator, tmp_path):
    curator("new", tmp_path / "a.curator")
    code, told = curator("label", tmp_path / "a.curator", "list", f"--ids={ids}")
    assert (code, told["error"]["kind"]) == (2, "wrong_use")
