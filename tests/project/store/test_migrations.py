import apsw
import pytest

from curator.dataset.errors import ProjectError
from curator.project import Project
from curator.project.imports.reanalysis import reanalyse
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
    old.execute("ALTER TABLE conversation DROP COLUMN text_hash")
    old.close()
    set_version(path, 2)
    with Project.open(path) as project:
        assert project.contents([1, 2, 3]) == [line("one"), line("two"), line("three")]
        assert not project.damaged


def test_every_version_has_its_step():
    assert set(migrations.MIGRATIONS) == set(range(1, migrations.SCHEMA_VERSION))


def test_a_file_of_version_1_shows_no_groups_before_they_are_worked_out_anew(tmp_path):
    path = tmp_path / "old.curator"
    with Project.create(path) as project:
        write(project, line("one"), line("two"))
        now = project.row(1), present(project)
    old = apsw.Connection(str(path))
    for column in ("text_hash", "beginnings"):
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
