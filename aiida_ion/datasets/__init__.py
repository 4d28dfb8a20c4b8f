"""Measured conductivities of others, as records. Knows no AiiDA."""
