"""``ion.comparison``."""

from aiida_ion.workchains.comparison.workchain import ComparisonWorkChain

__all__ = ["ComparisonWorkChain"]
