"""The collective conductivity from the charge current."""
