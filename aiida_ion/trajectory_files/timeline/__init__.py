"""Blocks of a run -> one line of time: gaps, repeats, breaks, and the numbers of frames."""
