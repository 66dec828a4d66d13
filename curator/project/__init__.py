"""The memory: one SQLite file that holds conversations, what people said of them, and every change."""

from curator.project.changes import Changes
from curator.project.index import Index
from curator.project.reader import Reader
from curator.project.store import Project

__all__ = ["Changes", "Index", "Project", "Reader"]
