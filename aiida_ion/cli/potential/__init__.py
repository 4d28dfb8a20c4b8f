"""``aiida-ion potential``: potentials trained on frames of the database."""
