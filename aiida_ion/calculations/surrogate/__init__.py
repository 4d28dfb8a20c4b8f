"""Datasets of the surrogate, its training and its predictions."""
