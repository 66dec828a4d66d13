"""The page that lists what is wrong and mends it."""
