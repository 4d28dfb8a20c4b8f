"""Programs that order disordered crystals."""
