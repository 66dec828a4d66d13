"""The project file: everything that reads or writes SQLite."""
