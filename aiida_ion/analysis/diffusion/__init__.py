"""Displacements -> diffusivities with their errors, or bounds where no diffusion was detected."""
