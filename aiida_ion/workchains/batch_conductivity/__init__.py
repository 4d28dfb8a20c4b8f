"""The conductivities of many crystals, whose molecular dynamics runs in batches."""
