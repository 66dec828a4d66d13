"""The doors: readers and writers of record formats; streams only."""
