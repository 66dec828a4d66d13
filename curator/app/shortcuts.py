"""Keys without Ctrl or Alt: obeyed on a page, but typed where a text field has the focus."""

from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import QKeyCombination, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QApplication, QWidget

_MODIFIED: Final = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)
_PRESSING: Final = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
_MOVING: Final = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)

_TYPED: Final = ("QLineEdit", "QTextEdit", "QPlainTextEdit")
_PRESSED: Final = ("QAbstractButton", "QComboBox", "QAbstractItemView")
_MOVED: Final = ("QAbstractItemView", "QAbstractSlider", "QComboBox")


def is_plain(sequence: QKeySequence) -> bool:
    """Whether a shortcut is one key that a text field would rather type."""
    if sequence.count() != 1:
        return False
    pressed = _first(sequence)
    is_function_key = Qt.Key.Key_F1 <= pressed.key() <= Qt.Key.Key_F35
    return not (pressed.keyboardModifiers() & _MODIFIED) and not is_function_key


def _first(sequence: QKeySequence) -> QKeyCombination:
    combination: QKeyCombination = sequence[0]  # type: ignore[index]  # the stubs do not know it
    return combination


def takes_text(widget: QWidget | None) -> bool:
    """Whether a widget is one that people type into."""
    if widget is None:
        return False
    if _is_a(widget, _TYPED):
        return not widget.property("readOnly")
    return _is_a(widget, ("QAbstractSpinBox",)) or (
        _is_a(widget, ("QComboBox",)) and bool(widget.property("editable"))
    )


def needs_key(widget: QWidget | None, key: Qt.Key) -> bool:
    """Whether a focused control would itself answer a plain key: a button its Space, a list its arrows."""
    if widget is None:
        return False
    if takes_text(widget):
        return True
    if key in _PRESSING:
        return _is_a(widget, _PRESSED)
    return key in _MOVING and _is_a(widget, _MOVED)


def _is_a(widget: QWidget, kinds: tuple[str, ...]) -> bool:
    # By name: importing these classes only to compare with them costs time at the start.
    return any(widget.inherits(kind) for kind in kinds)


class PlainKeyFilter(QObject):
    """Takes plain keys away from their actions while the focused widget needs them.

    typing_changed tells whether letters are typed right now, for the hint in the status line.
    """

    typing_changed = Signal(bool)

    def __init__(self, app: QApplication, parent: QObject) -> None:
        super().__init__(parent)
        self._keys: dict[QAction, list[QKeySequence]] = {}
        self._typing = False
        app.focusChanged.connect(self._focus_moved)

    def watch(self, actions: Iterable[QAction]) -> None:
        """Watch the plain keys among these actions."""
        for entry in actions:
            keys = entry.shortcuts()
            if any(is_plain(key) for key in keys):
                self._keys[entry] = keys

    def _focus_moved(self, _old: QWidget | None, focused: QWidget | None) -> None:
        for entry, keys in self._keys.items():
            free = [k for k in keys if not (is_plain(k) and needs_key(focused, _first(k).key()))]
            if entry.shortcuts() != free:
                entry.setShortcuts(free)
        typing = takes_text(focused)
        if typing != self._typing:
            self._typing = typing
            self.typing_changed.emit(typing)
