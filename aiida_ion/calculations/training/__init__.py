"""Datasets of labelled frames, and what is trained on them."""
