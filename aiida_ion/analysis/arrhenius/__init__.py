"""Activation energy, and conductivity at a target temperature, from diffusivities at several temperatures."""
