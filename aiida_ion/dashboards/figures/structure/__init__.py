"""Figures of cells in three dimensions: atoms, pathways, surfaces of maps and densities, motion in time."""
