"""``ion.conductivity``."""

from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain

__all__ = ["ConductivityWorkChain"]
