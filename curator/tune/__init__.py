"""Learning: training targets, the client that speaks to them, and jobs."""
