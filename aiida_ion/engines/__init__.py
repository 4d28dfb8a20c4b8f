"""Engines: the environments on disk, and the codes in AiiDA that stand for them."""
