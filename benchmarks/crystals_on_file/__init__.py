"""Files of crystals that are odd, damaged or contradict themselves, listed by subject, with the expected outcome of each."""
