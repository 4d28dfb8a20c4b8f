"""``ion.surrogate_samples``."""

from aiida_ion.workchains.surrogate_samples.workchain import SurrogateSamplesWorkChain

__all__ = ["SurrogateSamplesWorkChain"]
