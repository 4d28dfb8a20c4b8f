"""Jobs that order disordered crystals."""
