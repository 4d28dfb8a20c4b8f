"""Jobs and calculation functions that make datasets and train potentials."""
