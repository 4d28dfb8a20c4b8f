"""The program that trains potentials, and what it knows of each family's own training program."""
