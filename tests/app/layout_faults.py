"""What is wrong with how a window lies: cut texts, widgets outside their parents, texts over texts.

Run as ``python -m tests.app.layout_faults PROJECT SIZE...`` it opens the real window at each size,
goes through every page and prints one JSON object: size, page and its faults. A scale is given by
QT_SCALE_FACTOR in the environment.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QMenuBar,
    QPlainTextEdit,
    QScrollArea,
    QTextEdit,
    QWidget,
)

from curator.app.page_entries import PAGES
from curator.app.widgets.chip import Chip
from curator.app.widgets.text import Elided

_TEXTS = (QLabel, QAbstractButton, QLineEdit, QComboBox, QPlainTextEdit, QTextEdit, Chip)
_SLACK = 1
_CALM_LOOKS = 4
_JOB_VIEWS = ("loss", "accuracy", "numbers", "events", "checkpoints", "origin")
_BOXES = (
    ("write", "file.preferences"),
    ("write", "help.shortcuts"),
    ("write", "help.about"),
    ("write", "edit.replace"),
    ("label", "label.sets"),
)


def faults(root: QWidget) -> list[str]:
    """Return what is wrong with everything visible in a window or dialog."""
    seen = [one for one in root.findChildren(QWidget) if one.isVisibleTo(root) and _counts(one)]
    found = [*_outside(root, seen), *_cut(seen), *_over_each_other(root, seen)]
    return sorted(set(found))


def _counts(one: QWidget) -> bool:
    """Leave out what Qt itself lays out: insides of views, fields and bars."""
    parent = one.parentWidget()
    inside = (QComboBox, QAbstractSpinBox, QMenuBar, QLineEdit)
    while parent is not None:
        if isinstance(parent, inside):
            return False
        # What scrolls in a view of rows or text may lie outside it; a scroll area's one widget counts.
        if isinstance(parent, QAbstractScrollArea) and not isinstance(parent, QScrollArea):
            return False
        parent = parent.parentWidget()
    return one.objectName() not in ("qt_scrollarea_vcontainer", "qt_scrollarea_hcontainer")


def _name(one: QWidget) -> str:
    words = getattr(one, "text", None)
    said = words() if callable(words) else words
    return f"{type(one).__name__} {(one.accessibleName() or str(said or one.objectName()))[:60]!r}"


def _outside(root: QWidget, seen: list[QWidget]) -> Iterator[str]:
    for one in seen:
        parent = one.parentWidget()
        if parent is None or one.isWindow() or one.width() == 0 or one.height() == 0:
            continue
        room = parent.rect().adjusted(-_SLACK, -_SLACK, _SLACK, _SLACK)
        scroll = parent.parentWidget()
        if isinstance(scroll, QScrollArea) and scroll.widget() is one:
            # Down it may scroll; a page that must be scrolled sideways hides half of every line.
            if one.width() > parent.width() + _SLACK:
                yield f"{_name(scroll)} of {_holder(scroll)} scrolls sideways: {one.width()} > {parent.width()}"
            continue
        if not room.contains(one.geometry()):
            inside = f"{one.geometry().getRect()} in {parent.rect().getRect()}"
            yield f"{_name(one)} of {_holder(one)} lies outside: {inside}"


def _holder(one: QWidget) -> str:
    chain, parent = [], one.parentWidget()
    while parent is not None and len(chain) < 3:
        chain.append(type(parent).__name__)
        parent = parent.parentWidget()
    return "<".join(chain)


def _cut(seen: list[QWidget]) -> Iterator[str]:
    for one in seen:
        if not isinstance(one, Elided) and (wrong := _too_small(one)):
            yield f"{_name(one)} of {_holder(one)} {wrong}"


def _too_small(one: QWidget) -> str:
    """Say what of a widget's words does not fit into it, empty for nothing."""
    wide = one.width()
    if isinstance(one, QLabel) and one.wordWrap():
        word = one.minimumSizeHint().width() if one.text() else 0
        if word > wide + _SLACK:
            return f"has a word of {word} px in {wide}"
        needed = one.heightForWidth(wide) if one.text() else 0
        return (
            f"needs {needed} px of height, has {one.height()}" if needed > one.height() + 2 else ""
        )
    if isinstance(one, (QLabel, QAbstractButton)):
        needed = one.sizeHint().width() if one.text() else 0
        return f"needs {needed} px, has {wide}" if needed > wide + _SLACK else ""
    shown = ""
    if isinstance(one, QComboBox) and not one.isEditable():
        shown, wide = one.currentText(), wide - 32
    elif isinstance(one, QLineEdit) and not one.text():
        shown, wide = one.placeholderText(), wide - 16
    return f"cuts {shown!r}" if one.fontMetrics().horizontalAdvance(shown) > wide else ""


def _over_each_other(root: QWidget, seen: list[QWidget]) -> Iterator[str]:
    places: list[tuple[QRect, QWidget]] = []
    for one in seen:
        if isinstance(one, _TEXTS) and not one.testAttribute(
            Qt.WidgetAttribute.WA_TransparentForMouseEvents
        ):
            place = _shown(root, one)
            if place.isValid() and not place.isEmpty() and not _floats(root, one):
                places.append((place.adjusted(1, 1, -1, -1), one))
    for number, (place, one) in enumerate(places):
        for other, two in places[number + 1 :]:
            if place.intersects(other) and not one.isAncestorOf(two) and not two.isAncestorOf(one):
                yield f"{_name(one)} and {_name(two)} of {_holder(two)} overlap"


def _floats(root: QWidget, one: QWidget) -> bool:
    """Notices and sheets lie over the page on purpose."""
    parent: QWidget | None = one
    while parent is not None and parent is not root:
        if parent.objectName() in ("toast", "popup"):
            return True
        parent = parent.parentWidget()
    return False


def _shown(root: QWidget, one: QWidget) -> QRect:
    """Return the part of a widget that can be seen, in the window's coordinates."""
    place = QRect(one.mapTo(root, QPoint(0, 0)), one.size())
    parent = one.parentWidget()
    while parent is not None and parent is not root.parentWidget():
        place = place.intersected(QRect(parent.mapTo(root, QPoint(0, 0)), parent.size()))
        if parent is root:
            break
        parent = parent.parentWidget()
    return place


class Walk:
    """Goes through every page and dialog of the real window and looks at each."""

    def __init__(self, project: Path) -> None:
        from curator.app.main import Curator, make_application

        self.project = project
        self.found: dict[str, list[str]] = {}
        self.curator = Curator(make_application(["curator"]))
        self.curator.theme.choose(os.environ.get("THEME", "light"))
        self.curator.window.show()

    def at(self, width: int, height: int) -> None:
        """Look at everything at one size of the window."""
        curator, size = self.curator, f"{width}x{height}"
        curator.session.close_project()
        curator.window.resize(width, height)
        self.look(f"{size} start", curator.window)
        curator.session.open_project(self.project)
        self.settle()
        for entry in PAGES:
            page = curator.show_page(entry.page_id)
            self.look(f"{size} {entry.page_id}", curator.window)
            for name, turn in views_of(page):
                turn()
                self.look(f"{size} {entry.page_id} {name}", curator.window)
        for name, box in boxes_of(curator):
            self.look(f"{size} {name}", box)
            if box.height() > height or box.width() > width:
                wrong = f"the box has {box.width()} x {box.height()} px, more than the window"
                self.found.setdefault(f"{size} {name}", []).append(wrong)
            box.close()

    def look(self, name: str, root: QWidget) -> None:
        """Note what is wrong, and take a picture where PICTURES names a folder."""
        self.settle()
        if wrong := faults(root):
            self.found[name] = wrong
        if pictures := os.environ.get("PICTURES"):
            root.grab().save(str(Path(pictures) / f"{name.replace(' ', '-')}.png"))

    def settle(self) -> None:
        """Wait until nothing is at work any more."""
        calm = 0
        while calm < _CALM_LOOKS:
            QTest.qWait(50)
            calm = 0 if self.curator.jobs.running() else calm + 1
        # What arrived in the last of these moments has no room yet; nothing is painted before it has.
        for _ in range(_CALM_LOOKS):
            QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)


def views_of(page) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the other faces of a page, each with what turns to it."""
    if page.page_id == "train":
        yield "settings", partial(_unfold, page.composer.settings)
        yield "jobs", partial(page._turn, 1)
        for place, name in enumerate(_JOB_VIEWS):
            yield f"job {name}", partial(page.pane.view._turn, place)


def _unfold(settings) -> None:
    settings.change.setChecked(True)
    settings.more.setChecked(True)


def boxes_of(curator) -> Iterator[tuple[str, QWidget]]:
    """Open each dialog that can be opened from the menus."""
    for page, action_id in _BOXES:
        curator.show_page(page)
        curator.menus.run(action_id)
        open_now = [
            each
            for each in QApplication.topLevelWidgets()
            if isinstance(each, QDialog) and each.isVisible()
        ]
        if open_now:
            yield action_id, open_now[0]


def main(arguments: list[str]) -> int:
    """Print the faults of a project's pages at each size."""
    project, *sizes = arguments
    walk = Walk(Path(project))
    for size in sizes:
        width, height = map(int, size.split("x"))
        walk.at(width, height)
    walk.curator.window.close()
    sys.stdout.write(json.dumps(walk.found, indent=1, ensure_ascii=False))
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    # The window's threads need not be waited for.
    os._exit(main(sys.argv[1:]))
