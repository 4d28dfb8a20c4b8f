"""CalcJobs, each with its parser in the same file, and calcfunctions."""
