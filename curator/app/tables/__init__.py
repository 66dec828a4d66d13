"""Tables: Qt item models over columns, and the one view that shows them."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex

Index = QModelIndex | QPersistentModelIndex
"""What Qt may hand to a table's methods."""
