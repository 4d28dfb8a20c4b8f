"""When runs have converged, and which are extended."""
