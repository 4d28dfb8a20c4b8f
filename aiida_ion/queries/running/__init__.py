"""Running and failed processes, and their progress."""
