"""Many replicas in batches, continued until each has ended."""
