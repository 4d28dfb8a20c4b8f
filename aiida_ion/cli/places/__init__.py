"""Commands on computers and codes: limits, and where fits run."""
