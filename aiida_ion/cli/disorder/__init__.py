"""Commands for disordered crystals."""
