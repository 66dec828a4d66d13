"""Jobs: planned, started, followed, remembered; what they left behind."""
