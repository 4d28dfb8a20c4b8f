"""What this package uses of aiida-core and its plugins beyond their public interface, written for aiida-core 2.9.

No other part of the package uses it. `tests/aiida_private` says for each file what it relies on.
"""
