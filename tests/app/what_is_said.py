"""All that the window says or would send, gathered from every widget, table, menu and accessible node."""

from collections.abc import Iterator

from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, QObject, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface, QAction
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QCompleter,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

_PROPERTIES = (
    "text", "plainText", "toolTip", "statusTip", "whatsThis", "windowTitle", "placeholderText",
    "accessibleName", "accessibleDescription", "currentText", "title", "prefix", "suffix",
)  # fmt: skip
_ROLES = (
    Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.StatusTipRole,
    Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.AccessibleDescriptionRole,
    Qt.ItemDataRole.UserRole,
)  # fmt: skip
_OWN = ("action", "answer", "blocker", "label_set", "part", "piece", "scope", "status")
_MOST_ROWS = 500


def all_texts() -> Iterator[tuple[str, str]]:
    """Yield where and what of everything that any widget of the program holds, seen or not."""
    for widget in QApplication.allWidgets():
        where = f"{type(widget).__name__} {widget.objectName()} {widget.accessibleName()!r}"
        spoken = (
            widget,
            *widget.actions(),
            *widget.findChildren(QAction),
            *widget.findChildren(QCompleter),
        )
        yield from ((where, value) for one in spoken for value in _of_object(one))
        yield from ((f"{where} row", value) for value in _of_model(widget))
    for top in QApplication.topLevelWidgets():
        root = QAccessible.queryAccessibleInterface(top)
        if root is not None and root.isValid():
            for value in _of_node(root, 0):
                yield "accessible", value


def _of_object(one: QObject) -> Iterator[str]:
    for name in _PROPERTIES:
        value = one.property(name)
        if isinstance(value, str) and value:
            yield value
        own = getattr(one, name, None)
        if isinstance(own, str) and own:
            yield own
    for name in (bytes(name.data()).decode() for name in one.dynamicPropertyNames()):
        value = one.property(name) if name in _OWN else None
        if value is not None:
            yield str(value)
    if isinstance(one, QLineEdit) and one.completer() is not None:
        yield from _rows(one.completer().model())
    if isinstance(one, (QPlainTextEdit, QTextEdit)):
        yield one.toPlainText()


def _of_model(widget: QWidget) -> Iterator[str]:
    if isinstance(widget, (QAbstractItemView, QComboBox)) and widget.model() is not None:
        yield from _rows(widget.model())


def _rows(model: QAbstractItemModel | None) -> Iterator[str]:
    if model is None:
        return
    for row in range(min(model.rowCount(QModelIndex()), _MOST_ROWS)):
        # A list's one column is private to it.
        is_list = isinstance(model, QAbstractListModel)
        for column in range(1 if is_list else model.columnCount(QModelIndex())):
            for role in _ROLES:
                value = model.index(row, column).data(role)
                if value is not None:
                    yield str(value)


def _of_node(node: QAccessibleInterface, depth: int) -> Iterator[str]:
    for kind in (QAccessible.Text.Name, QAccessible.Text.Description, QAccessible.Text.Value,
                 QAccessible.Text.Help):  # fmt: skip
        value = node.text(kind)
        if value:
            yield value
    if depth > 40:
        return
    for place in range(min(node.childCount(), _MOST_ROWS)):
        child = node.child(place)
        if child is not None and child.isValid():
            yield from _of_node(child, depth + 1)
