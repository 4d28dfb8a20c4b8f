"""The command line ``aiida-ion``: one file per command."""
