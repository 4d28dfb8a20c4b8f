"""Crystal files that are odd, damaged or contradict themselves, by subject, with the expected outcome of each."""
