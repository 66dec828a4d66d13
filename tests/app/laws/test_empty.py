"""Law: a page with nothing to show says what to do next, and offers it."""

import pytest

from curator.app.widgets.empty_state import EmptyState
from curator.project.store.project import Project
from tests.app.conftest import open_in
from tests.app.laws.conftest import settle


@pytest.mark.parametrize("page_id", ["write", "label", "check", "duplicates", "export", "evaluate"])
def test_an_empty_project_leads_on_from_every_page(curator, tmp_path, qtbot, page_id):
    path = tmp_path / "empty.curator"
    Project.create(path, "anna").close()
    open_in(curator, path, qtbot)
    page = curator.show_page(page_id)
    settle(curator, qtbot)
    offers = [e for e in page.findChildren(EmptyState) if e.isVisible()]
    assert offers
    assert all(e.button.isVisible() and e.button.text() for e in offers)


def test_the_way_on_from_an_empty_queue_imports(curator, tmp_path, qtbot):
    path = tmp_path / "empty.curator"
    Project.create(path, "anna").close()
    open_in(curator, path, qtbot)
    page = curator.show_page("label")
    settle(curator, qtbot)
    with qtbot.waitSignal(page.action_requested) as asked:
        page.action_requested.disconnect(curator.menus.run)
        page._empty.button.click()
    assert asked.args == ["file.import"]
