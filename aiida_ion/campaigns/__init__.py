"""From crystals and engines to checked and submitted work chains; usable from Python, the command line is thin."""
