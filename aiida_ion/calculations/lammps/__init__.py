"""Jobs of LAMMPS."""
