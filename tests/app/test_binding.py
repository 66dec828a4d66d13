"""PySide6 must not lose references of None and True: 6.12.0 does on Python before 3.12, and aborts."""

import sys

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLabel

from curator.app import preflight

before_312 = pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="None and True are immortal from Python 3.12 on"
)


class Sender(QObject):
    sent = Signal(bool)


@before_312
def test_void_calls_keep_the_references_of_none(qtbot):
    label = QLabel()
    qtbot.addWidget(label)
    before = sys.getrefcount(None)
    for number in range(1000):
        label.setText(str(number))
    assert abs(sys.getrefcount(None) - before) <= 5


@before_312
def test_emits_keep_the_references_of_true(qapp):
    sender = Sender()
    before = sys.getrefcount(True)
    for _ in range(200):
        sender.sent.emit(True)
    assert abs(sys.getrefcount(True) - before) <= 5


def test_the_preflight_refuses_the_bad_pair(monkeypatch):
    monkeypatch.setattr(preflight, "_qt_version", lambda: "6.12.0")
    monkeypatch.setattr(sys, "version_info", (3, 11, 7))
    trouble = preflight.find_trouble({"QT_QPA_PLATFORM": "offscreen"})
    assert trouble is not None
    assert trouble.code == preflight.INSTALL
    assert "6.12.0" in trouble.text
    assert "PySide6-Essentials>=6.11.2,<6.12" in trouble.text
