"""Conversations that repeat each other: what is compared, the exact join, the clusters."""
