"""Settings: their rules, their schema, the files they come from, and the vocabulary of a run. Knows no AiiDA."""
