"""From crystals and engines to checked and submitted work chains; usable from Python, the command line is thin.

What needs AiiDA is loaded when it is used, so that ``aiida-ion --help`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from aiida_ion.campaigns.request import RunRequest
from aiida_ion.engines.requests import JobRequest
from aiida_ion.workchains.md.requests import EngineRequest

if TYPE_CHECKING:
    from aiida_ion.campaigns.batch import Batch, make_batch
    from aiida_ion.campaigns.plan import Plan
    from aiida_ion.campaigns.plans import make_plans, plans_of, submit_plans

__all__ = [
    "Batch",
    "EngineRequest",
    "JobRequest",
    "Plan",
    "RunRequest",
    "make_batch",
    "make_plans",
    "plans_of",
    "submit_plans",
]
_MODULES = {
    "batch": ("Batch", "make_batch"),
    "plan": ("Plan",),
    "plans": ("make_plans", "plans_of", "submit_plans"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
