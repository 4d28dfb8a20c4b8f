"""What a dataset refuses: labels that are wrong, twice, or of different levels of theory."""
