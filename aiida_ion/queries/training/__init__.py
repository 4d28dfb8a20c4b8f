"""Trained potentials: their table, their curves and predictions, and what was made with them."""
