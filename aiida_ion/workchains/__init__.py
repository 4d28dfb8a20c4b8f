"""WorkChains: what a person submits."""
