"""Crystals with partly occupied sites, and the ordered cells that stand for them. Knows no AiiDA."""
