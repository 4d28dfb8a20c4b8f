"""The dashboard: what was computed, how good it is, what it cost, and the way back to the raw run."""
