"""Jobs of ASE calculators, machine-learning interatomic potentials first."""
