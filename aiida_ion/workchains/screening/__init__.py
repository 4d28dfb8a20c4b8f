"""``ion.screening``."""

from aiida_ion.workchains.screening.workchain import ScreeningWorkChain

__all__ = ["ScreeningWorkChain"]
