import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from curator.dataset import ContentPatch, Edit, Finding, SettingPatch
from curator.dataset.errors import Cancelled
from curator.project import Project
from curator.project.imports import reanalysis
from curator.project.imports.reanalysis import reanalyse
from curator.project.store.derive import is_stale
from tests.project.building import import_lines, line, write


def quiet(*_: object) -> None:
    return None


def never() -> bool:
    return False


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "a.curator", author="ann") as made:
        yield made


def set_base(project: Project, name: str) -> None:
    was = project.setting("base_model")
    project.apply(Edit("Base", "ann", (SettingPatch("base_model", was, name),)))


TEXT = "Grüezi mitenand, 你好 世界! " * 20


def test_another_base_model_makes_numbers_stale_until_they_are_counted_anew(project):
    assert not is_stale(project)
    (first,) = write(project, line(TEXT))
    (second,) = import_lines(
        project, [line(TEXT)], tokens=[1], findings=[(0, Finding("S05", "error", "old"))]
    )
    assert not is_stale(project)
    now = project.row(first).tokens
    set_base(project, "gpt-3.5-turbo")
    assert is_stale(project)
    seen: list[tuple[int, int]] = []
    assert reanalyse(project, lambda done, total, _: seen.append((done, total)), never) == 2
    assert seen == [(2, 2)]
    assert not is_stale(project)
    facts = [project.row(first), project.row(second)]
    assert facts[0].tokens == facts[1].tokens != now
    assert facts[0].title == facts[1].title
    assert facts[0].content_hash == facts[1].content_hash
    assert project.findings(second) == project.findings(first)
    assert facts[0].flags - facts[1].flags == 1 << 30


def test_a_project_whose_texts_are_all_damaged_keeps_what_is_known(project):
    (id_,) = write(project, line(TEXT))
    known = project.row(id_)
    with project.writing() as connection:
        connection.execute("UPDATE conversation SET content = 'x'")
    set_base(project, "gpt-3.5-turbo")
    assert reanalyse(project, quiet, never) == 0
    assert project.row(id_) == known


def test_a_processes_answers_are_the_same(project):
    import_lines(project, [line(f"{TEXT} {n}") for n in range(20)])
    with ThreadPoolExecutor(2) as pool:
        assert reanalyse(project, quiet, never, pool) == 20
    counted = project.column("tokens").tolist()
    assert reanalyse(project, quiet, never) == 20
    assert project.column("tokens").tolist() == counted
    assert min(counted) > 0


def test_a_row_edited_meanwhile_keeps_its_numbers(project, monkeypatch):
    ids = import_lines(project, [line("one"), line("two")])
    real = reanalysis.analyse

    def edit_first(*args, **more):
        if project.content(ids[0]) == line("one"):
            project.apply(Edit("E", "a", (ContentPatch(ids[0], line("one"), line("x " * 50)),)))
        return real(*args, **more)

    monkeypatch.setattr(reanalysis, "analyse", edit_first)
    reanalyse(project, quiet, never)
    assert project.row(ids[0]).tokens > 50
    assert project.row(ids[0]).title.startswith("x x")


def test_rows_no_file_would_bring_in_are_counted_too(project):
    (id_,) = write(project, line("one"))
    empty = json.dumps({"messages": []})
    project.apply(Edit("Empty", "a", (ContentPatch(id_, line("one"), empty),)))
    was = project.row(id_)
    assert reanalyse(project, quiet, never) == 1
    assert project.row(id_) == was


def test_a_stopped_run_stays_stale(project):
    write(project, line("one"))
    set_base(project, "gpt-3.5-turbo")
    with pytest.raises(Cancelled):
        reanalyse(project, quiet, lambda: True)
    assert is_stale(project)


def test_much_work_goes_to_processes_with_the_same_answer(project, monkeypatch):
    import_lines(project, [line(f"{TEXT} {n}") for n in range(30)])
    reanalyse(project, quiet, never)
    in_line = project.column("tokens").tolist()
    monkeypatch.setattr(reanalysis, "_FEW_ROWS", 10)
    assert reanalyse(project, quiet, never) == 30
    assert project.column("tokens").tolist() == in_line
