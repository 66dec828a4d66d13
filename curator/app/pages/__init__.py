"""The pages of the window, one module or package each; they do not know each other."""
