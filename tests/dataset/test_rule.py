"""The rule pack loads into its types."""

from curator.dataset.resources import resource
from curator.dataset.rule import Rule, load_rules, rule_pack_version


def test_severity_depends_on_the_profile():
    source = {"tag": "own", "ref": "-", "checked_on": "2026-11-21"}
    rule = Rule(
        id="X1",
        severity="warning",
        scope="message",
        title="t",
        message="m",
        why="w",
        profiles=("openai_sft",),
        severity_by_profile={"azure": "error"},
        source=source,
    )
    assert rule.severity_for("openai_sft") == "warning"
    assert rule.severity_for("azure") == "error"
    assert rule.severity_for("gemini") is None


def test_shipped_rules_have_unique_ids_and_a_version():
    assert rule_pack_version()
    assert all(rule_id == rule.id for rule_id, rule in load_rules().items())
    assert resource("rules", "pack.json").is_file()
