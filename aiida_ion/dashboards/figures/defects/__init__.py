"""Figures of what defects do to a conductivity."""
