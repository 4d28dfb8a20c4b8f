"""``ion.ensemble``."""

from aiida_ion.workchains.ensemble.workchain import EnsembleWorkChain

__all__ = ["EnsembleWorkChain"]
