"""The calculation function that fits a conductivity, and its parts."""
