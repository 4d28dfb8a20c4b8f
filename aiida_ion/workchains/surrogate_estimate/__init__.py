"""``ion.surrogate_estimate``."""

from aiida_ion.workchains.surrogate_estimate.workchain import SurrogateEstimateWorkChain

__all__ = ["SurrogateEstimateWorkChain"]
