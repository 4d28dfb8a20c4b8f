"""``ion.labels``."""

from aiida_ion.workchains.labels.workchain import LabelsWorkChain

__all__ = ["LabelsWorkChain"]
