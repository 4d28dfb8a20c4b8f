"""What the jobs of every program that converges electrons share."""
