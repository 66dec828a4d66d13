"""The conversation editor: cards of messages that never change a character nobody touched."""
