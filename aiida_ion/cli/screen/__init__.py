"""``aiida-ion screen``: crystals before molecular dynamics."""
