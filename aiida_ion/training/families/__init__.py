"""Settings of each family of potentials that can be trained. Knows no AiiDA."""
