"""Molecular dynamics of Quantum ESPRESSO."""
