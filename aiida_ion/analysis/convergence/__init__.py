"""When runs have converged, and which ones to extend."""
