"""What this package uses of aiida-core beyond its public interface, written for aiida-core 2.9.

Nothing elsewhere reaches into AiiDA; `tests/aiida_private` says for each part what it relies on.
"""
