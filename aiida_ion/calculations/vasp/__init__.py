"""Jobs of VASP."""
