from PySide6.QtCore import QRect
from PySide6.QtWidgets import QFrame, QWidget

from curator.app.widgets.flow import FlowLayout


def filled(qtbot, number, width=100):
    place = QWidget()
    qtbot.addWidget(place)
    layout = FlowLayout(place, gap=10)
    for _ in range(number):
        box = QFrame(place)
        box.setFixedSize(width, 30)
        layout.addWidget(box)
    return place, layout


def test_what_fits_stands_in_one_line(qtbot):
    _, layout = filled(qtbot, 3)
    assert layout.heightForWidth(320) == 30
    assert layout.heightForWidth(319) == 70
    assert layout.heightForWidth(90) == 110


def test_nobody_overlaps_and_everybody_is_inside(qtbot):
    place, layout = filled(qtbot, 18)
    layout.setGeometry(QRect(0, 0, 450, layout.heightForWidth(450)))
    boxes = [layout.itemAt(at).geometry() for at in range(layout.count())]
    assert all(box.left() >= 0 and box.right() < 450 for box in boxes)
    assert not any(a.intersects(b) for n, a in enumerate(boxes) for b in boxes[:n])
    assert place.layout() is layout


def test_what_is_hidden_takes_no_room(qtbot):
    place, layout = filled(qtbot, 3)
    place.show()
    layout.itemAt(1).widget().hide()
    layout.setGeometry(QRect(0, 0, 400, 40))
    assert layout.itemAt(2).geometry().left() == 110
    assert layout.heightForWidth(210) == 30


def test_items_can_be_taken_back(qtbot):
    _, layout = filled(qtbot, 2)
    assert layout.takeAt(0) is not None
    assert layout.takeAt(5) is None
    assert layout.itemAt(5) is None
    assert layout.count() == 1
