"""Atoms of runs and crystals, for figures: densities of mobile ions, ordered cells of disordered crystals."""
