"""``ion.convergence``."""
