"""Engines: the environments on disk, and the AiiDA codes that run them."""
