"""From a request to a submitted screening."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiida import orm
from aiida.engine import submit

from aiida_ion.aiida_private.builders import validate_builder
from aiida_ion.campaigns.screening.materials import Materials, stored
from aiida_ion.campaigns.screening.processes import StagePlan
from aiida_ion.campaigns.screening.request import ScreenRequest
from aiida_ion.messages import one_line
from aiida_ion.workchains.screening.inputs import material_entries
from aiida_ion.workchains.screening.workchain import ScreeningWorkChain


def screening_builder(materials: Materials, plans: Sequence[StagePlan], request: ScreenRequest) -> Any:
    """Return the checked builder of a screening; nodes among its inputs are stored.

    :raises ValueError: if it cannot be submitted; the message says why.
    """
    check_materials(materials)
    builder: Any = ScreeningWorkChain.get_builder()
    builder.materials = material_entries([(name, stored(node), digest) for name, node, digest in materials.crystals])
    builder.stages = orm.List([plan.entry() for plan in plans])
    builder.max_concurrent = orm.Int(request.max_concurrent)
    builder.batch_size = orm.Int(request.batch_size)
    builder.metadata.label = request.label or f"screening of {len(materials.crystals)} materials"
    problem = validate_builder(builder)
    if problem is not None:
        raise ValueError(one_line(problem))
    return builder


def check_materials(materials: Materials) -> None:
    """Refuse a screening of nothing.

    :raises ValueError: with the first reason.
    """
    if not materials.crystals:
        first = next((f": {name}: {reason}" for name, reason in materials.refused.items()), "")
        raise ValueError(f"there is no material to screen{first}")


def submit_screening(builder: Any) -> int:
    """Submit a screening to the daemon and return its pk."""
    return int(submit(builder).pk or 0)
