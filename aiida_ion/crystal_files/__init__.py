"""Crystal files: read, checked against what they state about themselves, and reported. Independent of AiiDA."""
