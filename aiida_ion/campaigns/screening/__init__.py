"""Screenings: materials from files, groups and OPTIMADE, and stages with their engines."""
