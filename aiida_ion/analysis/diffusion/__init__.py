"""Displacements -> diffusivities with their errors, or bounds where nothing moved."""
