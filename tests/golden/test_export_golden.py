"""What an export looks like, file by file; run with --update-golden after a wanted change."""

from curator.curate.splits import SplitPlan
from curator.dataset import ContentPatch, Edit
from curator.project import splits
from curator.project.exports.exporting import export
from curator.project.exports.selection import ExportSettings
from curator.project.store.project import Project
from tests.project.projects import annotate, import_lines, line

TOOL = (
    '{"messages":[{"role":"user","content":"Weather in Kiel?"},{"role":"assistant","tool_calls":'
    '[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\\"city\\":\\"Kiel\\"}"}}]},'
    '{"role":"tool","tool_call_id":"c1","content":"12 degrees"},{"role":"assistant","content":"12 °C."}],'
    '"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object",'
    '"properties":{"city":{"type":"string"}}}}}]}'
)
SPACED = '{ "messages" : [ {"role":"user","content":"caf\\u00e9 \u2028?"}, {"role":"assistant","content":"Ja"} ] }'


def project_with_everything(path):
    """Plain, spaced, tool-calling, edited, removed, rejected, flagged, faulty and hand-written rows."""
    project = Project.create(path, "anna")
    plain = [line(f"Where is parcel {n}?", f"Parcel {n} is on its way.") for n in range(12)]
    faulty = '{"messages":[{"role":"user","content":"No answer"}]}'
    ids = import_lines(project, [*plain, TOOL, SPACED, faulty], "parcels.jsonl", "parcels.jsonl")
    (own,) = project.new_conversation_ids(1)
    patches = (
        ContentPatch(ids[1], project.content(ids[1]), line("Where is my parcel?", "Near you.")),
        ContentPatch(own, None, line("Do you ship to Malta?", "Yes, in five days.")),
    )
    project.apply(Edit("write", "anna", patches))
    annotate(project, [ids[2]], "removed", {"reason": "near duplicate of 1 (0.91)", "partner": 1})
    annotate(project, [ids[3]], "status", "rejected")
    annotate(project, [ids[4]], "flag", True)
    values = ["parcel"] * 12 + ["weather", "other"]
    annotate(project, ids[:14], "label:topic", values, annotator="anna", each=True)
    plan = SplitPlan(0.6, 0.2, 0.2, seed=42, stratify="topic", together=("prompt", "duplicates"))
    project.apply(splits.propose(project, plan).edit)
    return project


def test_an_export_is_what_it_was(tmp_path, equals_golden):
    with project_with_everything(tmp_path / "parcels.curator") as project:
        export(project, tmp_path / "out", ExportSettings(hold_out_flagged=True, skip_errors=True))
    equals_golden(tmp_path / "out", "export")
