"""The page that lists what is wrong and fixes it."""
