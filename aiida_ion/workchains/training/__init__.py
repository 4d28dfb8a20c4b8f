"""``ion.training``."""
