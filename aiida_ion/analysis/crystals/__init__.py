"""Crystals: cells, charges, neighbours, and supercells for molecular dynamics."""
