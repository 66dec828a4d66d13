"""The memory: one SQLite file that holds conversations, what people said of them, and every change."""

from curator.project.queries.index import Index
from curator.project.store.changes import Changes
from curator.project.store.project import Project
from curator.project.store.reader import Reader

__all__ = ["Changes", "Index", "Project", "Reader"]
