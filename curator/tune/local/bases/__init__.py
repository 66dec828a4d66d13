"""The base models on this computer: where they come from and whether they can be used."""
