"""Published measured conductivities, as records. Independent of AiiDA."""
