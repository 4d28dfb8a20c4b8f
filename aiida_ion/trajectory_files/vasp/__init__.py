"""Molecular dynamics of VASP."""
