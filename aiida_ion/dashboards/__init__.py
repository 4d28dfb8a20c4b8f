"""The dashboard: results, their quality and cost, and the way back to the raw runs."""
