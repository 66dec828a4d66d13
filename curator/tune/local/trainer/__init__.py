"""The trainer: from the lines of a file to a trained checkpoint. Only its worker imports torch."""
