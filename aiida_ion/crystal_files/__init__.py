"""Files of crystals: read with what they state about themselves, checked against it, and reported. Knows no AiiDA."""
