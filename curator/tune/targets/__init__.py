"""Where a job can run: profiles, addresses, keys, last days."""
