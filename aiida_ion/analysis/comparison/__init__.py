"""Levels of theory and baselines beside each other: ratios, forces, structure, vibrations, cost."""
