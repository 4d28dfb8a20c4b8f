"""Runs of batches: as rows of tables, and found again before they are run."""
