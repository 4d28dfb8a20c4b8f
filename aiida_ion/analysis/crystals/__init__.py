"""Crystals: cells, charges, neighbours, and the supercell that molecular dynamics needs."""
