"""A cluster on this machine: Slurm behind an SSH server, as a stranger's cluster is."""
