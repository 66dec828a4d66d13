"""From raw lines to columns: reading, counting, hashing and checking many conversations at once."""
