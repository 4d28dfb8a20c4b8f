"""Ionic conductivity of solid electrolytes from more than one level of theory, with provenance."""

__version__ = "0.2.0"
