"""The documents keep step with the program: verbs, actions, words, decisions, the sample's list of defects."""

import re

import pytest

from curator.cli.main import build_parser
from tests.house.inspection import ROOT, name, tracked_texts

README = (ROOT / "README.md").read_text("utf-8")
GLOSSARY = (ROOT / "resources" / "glossary.md").read_text("utf-8").casefold()


def _verbs():
    action = next(a for a in build_parser()._actions if a.dest == "verb")
    return action.choices


def test_every_verb_is_in_the_readme():
    assert [verb for verb in _verbs() if f"`curator {verb}" not in README] == []


def test_the_verbs_are_those_of_the_contract():
    promised = (
        "new import check fix count dedupe label split export verify targets train jobs ask demo"
    )
    assert set(promised.split()) <= set(_verbs())


@pytest.mark.parametrize("verb", sorted(_verbs()))
def test_every_verb_has_a_sentence_and_an_example(verb):
    parser = _verbs()[verb]
    assert parser.description
    assert parser.description.endswith(".")
    assert f"curator {verb}" in (parser.epilog or "")


def test_every_action_has_a_tip_and_a_key_of_its_own():
    from curator.app.actions import ACTIONS

    keys = [action.shortcut for action in ACTIONS if action.shortcut]
    assert [action.id for action in ACTIONS if not action.tip] == []
    assert sorted(key for key in set(keys) if keys.count(key) > 1) == []
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


def test_the_glossary_has_the_public_nouns():
    import curator.dataset as nouns

    spoken = {
        "AnnotationPatch": "patch",
        "ContentPatch": "patch",
        "SettingPatch": "patch",
        "CuratorError": "finding",  # the glossary says what is no error
    }
    missing = []
    for noun in nouns.__all__:
        words = spoken.get(noun) or re.sub(r"(?<!^)(?=[A-Z])", " ", noun).lower()
        if f"**{words}**" not in GLOSSARY:
            missing.append(noun)
    assert missing == []


def test_decisions_are_short_numbered_and_whole():
    found = sorted((ROOT / "resources" / "decisions").glob("*.md"))
    numbers = [path.name[:4] for path in found]
    # Records are numbered when work on them begins, and land in any order.
    assert len(set(numbers)) == len(numbers)
    assert all(number.isdecimal() for number in numbers)
    for path in found:
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= 60, path.name
        for part in ("## Context", "## Decision", "## Consequences"):
            assert part in text, f"{path.name}: {part}"
        assert "## Rejected" in text or "## Options" in text, path.name


def test_every_link_of_the_documents_leads_somewhere():
    broken = []
    for path, text in tracked_texts():
        if path.suffix == ".md":
            for link in re.findall(r"\]\(([^)#\s]+)", text):
                if not re.match(r"[a-z]+:", link) and not (path.parent / link).exists():
                    broken += [f"{name(path)}: {link}"]
    assert broken == []


def test_the_sample_is_what_its_generator_writes(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    import make_sample

    monkeypatch.setattr(make_sample, "TARGET", tmp_path)
    make_sample.main()
    for made in tmp_path.iterdir():
        assert made.read_bytes() == (ROOT / "resources" / "samples" / made.name).read_bytes()


def test_the_page_of_keys_is_written_from_the_actions(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    import make_keys

    assert make_keys.TARGET.read_text("utf-8") == make_keys.text(), "run packaging/make_keys.py"
