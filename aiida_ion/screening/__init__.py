"""Screening: stages with cuts and budgets, and the decision on each material; independent of AiiDA."""
