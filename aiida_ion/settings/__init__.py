"""Settings: rules, schema, files, and the vocabulary of a run. Independent of AiiDA."""
