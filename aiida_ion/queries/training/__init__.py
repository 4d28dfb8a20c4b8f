"""Trained potentials: the table of them, what was made with one, and the arrays of its report."""
