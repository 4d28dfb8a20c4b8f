"""Barriers of hops with any potential: relaxed ends, symmetric mid-points, climbing-image bands; and kinetics."""
