"""From files to stored conversations, every byte accounted for."""
