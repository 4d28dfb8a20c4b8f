"""Input and output files of DFT programs, independent of AiiDA."""
