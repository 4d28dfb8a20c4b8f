"""Files of crystals that are odd, damaged or contradict themselves, listed by subject, and what is right for each."""
