"""``ion.queue``."""

from aiida_ion.workchains.queue.workchain import QueueWorkChain

__all__ = ["QueueWorkChain"]
