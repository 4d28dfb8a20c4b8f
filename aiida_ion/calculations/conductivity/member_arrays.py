"""The arrays by which a pooled diffusion says how the members of its ensemble differ."""

from __future__ import annotations

from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.analysis.arrhenius.members import MemberDeviations
from aiida_ion.analysis.disorder.pooling import PooledPoint
from aiida_ion.analysis.disorder.spread import Sampling

TRACER, COLLECTIVE = "tracer_diffusivity_samples_cm2_s", "collective_diffusivity_samples_cm2_s"
WEIGHTS, SHARE, FREEDOM = "member_weights", "sampling_share", "sampling_freedom"


def within_name(name: str) -> str:
    """Return the name of the array with the draws that have the errors of the members alone."""
    return f"within_members_{name}"


def pooled_arrays(name: str, point: PooledPoint) -> dict[str, Any]:
    """Return the arrays of a pooled diffusivity.

    :param name: of the array with the draws that have both errors.
    """
    return {
        name: point.samples_cm2_s,
        within_name(name): point.within_samples_cm2_s,
        f"member_deviations_of_{name}": point.deviations,
        f"member_variances_of_{name}": point.variances,
    }


def samples_and_members(node: orm.ArrayData, name: str) -> tuple[Any, MemberDeviations | None]:
    """Return the draws for a fit over temperatures, and how the members differ; ``None`` where nothing was pooled.

    :param name: of the array with the draws.
    """
    if within_name(name) not in node.get_arraynames():
        return node.get_array(name), None
    attributes = node.base.attributes
    weights = np.asarray(node.get_array(WEIGHTS), dtype=float)
    sampling = Sampling(weights / weights.sum(), float(attributes.get(SHARE)), float(attributes.get(FREEDOM)))
    arrays = [
        np.asarray(node.get_array(f"{part}_of_{name}"), dtype=float)
        for part in ("member_deviations", "member_variances")
    ]
    return node.get_array(within_name(name)), MemberDeviations(sampling, *arrays)
