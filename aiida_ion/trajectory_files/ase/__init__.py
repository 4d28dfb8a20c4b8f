"""Trajectories that ASE reads."""
