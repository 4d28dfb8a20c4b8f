"""Diffusivities with errors from displacements, or bounds where no diffusion was detected."""
