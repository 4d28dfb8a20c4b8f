"""Dumps of LAMMPS."""
