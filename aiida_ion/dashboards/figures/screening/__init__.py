"""Figures of screenings, from plain tables and arrays."""
