"""Molecular dynamics with LAMMPS: potentials, input files, output files. Independent of AiiDA."""
