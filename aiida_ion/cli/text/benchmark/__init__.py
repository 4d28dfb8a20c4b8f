"""The benchmark in words."""
