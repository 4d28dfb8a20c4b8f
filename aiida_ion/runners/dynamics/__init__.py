"""Molecular dynamics: integrators, what is recorded, and exact continuation."""
