"""Archives: chosen results with their provenance, written to share, and opened without being trusted."""
