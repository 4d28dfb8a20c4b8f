"""Screenings as text."""
