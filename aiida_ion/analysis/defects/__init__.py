"""Point defects of ordered crystals: cells that hold them, their energies, and what carriers do. Knows no AiiDA."""
