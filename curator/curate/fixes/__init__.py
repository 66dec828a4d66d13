"""The fixes of conversations, by the family of rules they serve."""
