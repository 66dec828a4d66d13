"""The Split and export page: shares with their numbers before and after, and one button that exports."""
