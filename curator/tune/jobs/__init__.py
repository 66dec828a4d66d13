"""Jobs: planning, starting, following, the job table and results."""
