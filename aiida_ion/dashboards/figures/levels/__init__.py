"""Figures that compare levels of theory."""
