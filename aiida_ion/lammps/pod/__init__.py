"""POD potentials of LAMMPS: the order of their elements, input and output of ``fitpod``."""
