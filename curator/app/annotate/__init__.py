"""What people say of a conversation: status, labels, tags, notes; one inspector for all of it."""
