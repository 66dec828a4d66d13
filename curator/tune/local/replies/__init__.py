"""Replies of a base or checkpoint, by torch or by llama.cpp."""
