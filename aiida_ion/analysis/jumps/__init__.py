"""The jump analysis of a trajectory: sites, jumps between them, vibration, percolation. GEMDAT is imported lazily."""
