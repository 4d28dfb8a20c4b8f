"""Screening: jobs with many materials, and the decisions on them."""
