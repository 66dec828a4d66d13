"""The open project in the window: what is selected, work in the background, files opened and made."""
