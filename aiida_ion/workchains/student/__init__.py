"""``ion.student``."""

from aiida_ion.workchains.student.workchain import StudentWorkChain

__all__ = ["StudentWorkChain"]
