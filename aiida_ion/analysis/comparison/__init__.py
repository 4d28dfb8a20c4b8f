"""Comparison of levels of theory and baselines: ratios, forces, structure, vibrations, cost."""
