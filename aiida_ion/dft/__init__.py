"""What DFT programs read and write, without AiiDA."""
