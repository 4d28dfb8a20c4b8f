"""Diffusivities at several temperatures -> activation energy and conductivity at another one."""
