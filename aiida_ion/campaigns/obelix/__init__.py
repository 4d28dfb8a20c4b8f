"""The benchmark of OBELiX: its crystals, what is run, and how well it fits."""
