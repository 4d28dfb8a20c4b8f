"""An engine of another package: solid argon in a well of a given depth."""
