"""The memory: the project file and everything kept in it."""
