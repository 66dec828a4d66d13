"""Evaluate: what candidates answer to the test questions, how well, and what got better or worse."""
