import gzip
import json
from pathlib import Path

import apsw
import pytest

from curator.curate.analysis import columns
from curator.curate.search.query import parse_query
from curator.dataset.errors import ProjectError
from curator.dataset.json_values import loads
from curator.dataset.record import KINDS, Kind, looks_like
from curator.project import Project
from curator.project.imports.reanalysis import reanalyse
from curator.project.queries.filters import view
from curator.project.queries.index import Index
from curator.project.splits import present
from curator.project.store import migrations
from curator.project.store.derive import is_stale
from tests.project.building import import_lines, line, write


@pytest.fixture
def path(tmp_path):
    with Project.create(tmp_path / "a.curator") as project, project.writing() as connection:
        connection.execute("INSERT INTO setting VALUES ('x', '1')")
    return tmp_path / "a.curator"


def set_version(path, version: int) -> None:
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", version)
    connection.close()


def version_of(path) -> int:
    connection = apsw.Connection(str(path))
    version = connection.pragma("user_version")
    connection.close()
    return version


NOW = migrations.SCHEMA_VERSION


def use_steps(monkeypatch, *steps) -> None:
    monkeypatch.setattr(migrations, "MIGRATIONS", {NOW + at: step for at, step in enumerate(steps)})
    monkeypatch.setattr(migrations, "SCHEMA_VERSION", NOW + len(steps))


def second(connection: apsw.Connection) -> None:
    connection.execute("UPDATE setting SET value = '2'")


def third(connection: apsw.Connection) -> None:
    connection.execute("UPDATE setting SET value = value || '3'")


def test_an_older_file_is_migrated_after_a_backup(path, monkeypatch):
    use_steps(monkeypatch, second, third)
    with Project.open(path) as project:
        assert project.setting("x") == 23
    assert version_of(path) == NOW + 2
    backup = path.with_name(f"a.curator.backup-v{NOW}")
    assert version_of(backup) == NOW
    monkeypatch.undo()
    with Project.open(backup) as project:
        assert project.setting("x") == 1


def test_a_migration_that_fails_changes_nothing(path, monkeypatch):
    def broken(connection: apsw.Connection) -> None:
        connection.execute("UPDATE setting SET value = '9'")
        raise RuntimeError("a bug")

    use_steps(monkeypatch, second, broken)
    with pytest.raises(RuntimeError):
        Project.open(path)
    monkeypatch.undo()
    with Project.open(path) as project:
        assert not project.read_only
        assert project.setting("x") == 1


def test_an_older_file_that_may_not_be_changed_is_refused(path, monkeypatch):
    use_steps(monkeypatch, second, third)
    with pytest.raises(ProjectError, match="older version"):
        Project.open(path, read_only=True)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_file_is_refused_and_left_alone(path, read_only):
    set_version(path, 99)
    before = path.read_bytes()
    with pytest.raises(ProjectError, match="newer version of Curator"):
        Project.open(path, read_only=read_only)
    assert path.read_bytes() == before
    assert sorted(each.name for each in path.parent.iterdir())[0] == "a.curator"


@pytest.mark.parametrize("version", [0, -1, -(2**31)])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_version_that_never_was_is_refused_in_a_sentence(path, version, read_only):
    set_version(path, version)
    with pytest.raises(ProjectError, match=f"of version {version}, which no Curator has written"):
        Project.open(path, read_only=read_only)


def test_a_file_of_version_2_gets_the_hashes_of_its_texts(tmp_path):
    path = tmp_path / "old.curator"
    with Project.create(path) as project:
        import_lines(project, [line("one"), line("two")])
        write(project, line("three"))
    old = apsw.Connection(str(path))
    for column in ("kind", "text_hash"):
        old.execute(f"ALTER TABLE conversation DROP COLUMN {column}")
    old.close()
    set_version(path, 2)
    with Project.open(path) as project:
        assert project.contents([1, 2, 3]) == [line("one"), line("two"), line("three")]
        assert not project.damaged


@pytest.fixture
def version_3(tmp_path):
    """A file that the last program of version 3 wrote: five imported lines, one edited, one labelled."""
    path = tmp_path / "old.curator"
    packed = Path(__file__).with_name("version3.curator.gz").read_bytes()
    path.write_bytes(gzip.decompress(packed))
    return path


def test_a_file_of_version_3_keeps_everything_and_learns_its_kinds(version_3):
    before = version_3.read_bytes()
    with Project.open(version_3) as project:
        lines = [json.loads(text) for _, text in project.iterate()]
        kinds = [KINDS[code] for code in project.column("kind").tolist()]
        assert [kind.value for kind in kinds] == [looks_like(line).value for line in lines]
        assert kinds == [Kind.CONVERSATION] * 2 + [Kind.REINFORCEMENT] + [Kind.CONVERSATION] * 2
        assert lines[1]["messages"][-1]["content"] == "Lima, on the coast."
        assert project.annotation(1).status == "accepted"
        assert [label.value for label in project.labels(1)] == ["good"]
        assert [step.title for step in project.journal()][-1] == "Import in.jsonl"
        assert not project.damaged
        # Nothing has to be counted anew for a column that most rows have as 0.
        assert loads(derived_with(project))[3] == columns.KERNEL_VERSION
        found = Index(version_3)
        assert found.ids[view(found, parse_query("is:reinforcement"))].tolist() == [3]
        found.close()
        assert project.undo() is not None
    backup = version_3.with_name("old.curator.backup-v3")
    assert version_of(backup) == 3
    assert version_of(version_3) == NOW
    assert apsw.Connection(str(backup)).execute("SELECT count(*) FROM conversation").get == 5
    assert before[:16] == backup.read_bytes()[:16]


def derived_with(project) -> str:
    with project.reading() as connection:
        return connection.execute("SELECT value FROM stamp WHERE name = 'derived_with'").get


def test_every_version_has_its_step():
    assert set(migrations.MIGRATIONS) == set(range(1, migrations.SCHEMA_VERSION))


def test_a_file_of_version_1_shows_no_groups_before_they_are_worked_out_anew(tmp_path):
    path = tmp_path / "old.curator"
    with Project.create(path) as project:
        write(project, line("one"), line("two"))
        now = project.row(1), present(project)
    old = apsw.Connection(str(path))
    for column in ("kind", "text_hash", "beginnings"):
        old.execute(f"ALTER TABLE conversation DROP COLUMN {column}")
    old.execute("UPDATE conversation SET prompt_hash = 7")
    old.execute('UPDATE stamp SET value = \'["o200k_base","openai_sft",null,2,"x"]\'')
    old.close()
    set_version(path, 1)
    with Project.open(path) as project:
        assert is_stale(project)
        with pytest.raises(ProjectError, match="another version of Curator"):
            present(project)
        reanalyse(project, lambda *_: None, lambda: False)
        assert (project.row(1), present(project)) == now
