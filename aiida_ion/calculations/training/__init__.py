"""Datasets of labelled frames, and the jobs that train potentials on them."""
