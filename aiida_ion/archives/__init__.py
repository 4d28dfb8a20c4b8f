"""Archives: chosen results with what they came from, written to share, and opened without being trusted."""
