"""The calculation function that compares levels of theory, and its parts."""
