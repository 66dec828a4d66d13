"""The Label page: the queue of conversations, one after the other, by keyboard."""
