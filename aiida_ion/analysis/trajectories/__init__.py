"""Trajectories as arrays: segments, images, thermodynamic rows."""
