"""The Duplicates page: clusters of repeats, two conversations side by side, and a decision by key."""
