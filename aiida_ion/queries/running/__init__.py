"""What is running, how far it is, and what failed."""
