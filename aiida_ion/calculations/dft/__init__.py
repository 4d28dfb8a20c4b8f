"""What the jobs of all DFT programs share."""
