"""The MD interface and its engines, one file each."""
