"""Measuring what a job taught: the base and the tuned checkpoint on conversations neither has seen."""
