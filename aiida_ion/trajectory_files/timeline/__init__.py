"""A single timeline from the blocks of a run: gaps, repeats, breaks, and frame numbers."""
