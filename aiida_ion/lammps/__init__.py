"""Molecular dynamics with LAMMPS: potentials, input files, output files. Knows no AiiDA."""
