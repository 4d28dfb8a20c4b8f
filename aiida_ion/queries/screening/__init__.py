"""Screenings: results of materials, decisions on them, and what is known already."""
