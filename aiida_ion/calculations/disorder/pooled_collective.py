"""What is pooled beside the tracer diffusivity: collective motion, Haven ratio, Green-Kubo, and tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from aiida import orm

from aiida_ion.analysis.arrhenius.result import GAUSSIAN95
from aiida_ion.analysis.comparison.paired import MemberPart, paired_ratio
from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.analysis.diffusion.member_tensors import MemberTensor, different_shape, pool_tensors, turned
from aiida_ion.analysis.diffusion.result import Interval
from aiida_ion.analysis.disorder.pooling import MemberPoint, PooledPoint, pool
from aiida_ion.analysis.disorder.spread import Sampling
from aiida_ion.calculations.conductivity.collective import left_out
from aiida_ion.calculations.conductivity.member_arrays import COLLECTIVE, pooled_arrays

FloatArray = npt.NDArray[np.float64]


N_DRAWS = 1000
TENSOR, KUBO = "tracer_diffusivity_tensor_cm2_s", "green_kubo_ionic_conductivity_mS_cm"


def lacking(labels: Sequence[str], reasons: Sequence[str | None], what: str) -> str | None:
    """Return a sentence on the members that have no such quantity; ``None`` where all have it."""
    missing = [f"{label}: {why.rstrip('.')}" for label, why in zip(labels, reasons, strict=True) if why is not None]
    return f"Members have no {what}: {'; '.join(missing)}." if missing else None


def collective(
    nodes: Sequence[orm.ArrayData],
    labels: Sequence[str],
    sampling: Sampling,
    shared: Mapping[str, Any],
    tracer: PooledPoint,
    arrays: dict[str, Any],
) -> dict[str, Any]:
    """Return the collective diffusivity and conductivity and the Haven ratio; only where every member has the first.

    :param shared: attributes of the pooled temperature: density, charge, temperature.
    :param tracer: the pooled tracer diffusivity.
    :param arrays: takes the draws.
    """
    problem = lacking(labels, [left_out(node) for node in nodes], "collective diffusivity")
    if problem is not None:
        return {"collective_reason": problem}
    density, points = shared["number_density_A3"], []
    for node in nodes:
        own = node.base.attributes.get("number_density_A3", None)
        scale = float(own) / density if own and density else 1.0
        points.append(MemberPoint(samples_cm2_s=scale * np.asarray(node.get_array(COLLECTIVE), dtype=float)))
    point = pool(points, sampling)
    assert point.ci95_cm2_s is not None and point.value_cm2_s is not None
    arrays |= pooled_arrays(COLLECTIVE, point)
    numbers: dict[str, Any] = {
        "collective_diffusivity_cm2_s": point.value_cm2_s,
        "collective_diffusivity_ci95_cm2_s": list(point.ci95_cm2_s),
        "collective_within_members_std_cm2_s": point.within_std_cm2_s,
        "collective_between_members_std_cm2_s": point.between_std_cm2_s,
        "collective_dominant_error": point.dominant,
    }
    ions = (shared["charge_e"], density, shared["temperature_K"])
    if all(ions):
        values = (point.value_cm2_s, *point.ci95_cm2_s)
        sigma = [float(ionic_conductivity_mS_cm(value, *ions)) for value in values]
        numbers["collective_ionic_conductivity_mS_cm"] = sigma[0]
        numbers["collective_ionic_conductivity_ci95_mS_cm"] = sigma[1:]
    return numbers | haven_ratio(tracer, point, sampling)


def haven_ratio(tracer: PooledPoint, collective_point: PooledPoint, sampling: Sampling) -> dict[str, Any]:
    """Return the ratio of the two pooled diffusivities, which is not the mean of the members' ratios.

    A member that is fast in both cancels; what is left is how differently its two diffusivities deviate.
    """
    sides = [_part(point) for point in (tracer, collective_point)]
    if sides[0] is None or sides[1] is None or tracer.value_cm2_s is None or collective_point.value_cm2_s is None:
        return {}
    ratio = paired_ratio(sides[0], sides[1], sampling)
    value = tracer.value_cm2_s / collective_point.value_cm2_s
    return {"haven_ratio": value, "haven_ratio_ci95": None if ratio.ci95 is None else list(ratio.ci95)}


def _part(point: PooledPoint) -> MemberPart | None:
    """Return a pooled diffusivity as decimal logarithms."""
    if point.within_samples_cm2_s is None or point.deviations is None or point.variances is None:
        return None
    decade = np.log(10.0)
    return MemberPart(np.log10(point.within_samples_cm2_s), point.deviations / decade, point.variances / decade**2)


def green_kubo(nodes: Sequence[orm.ArrayData], labels: Sequence[str], sampling: Sampling) -> dict[str, Any]:
    """Return the Green-Kubo conductivity, mS/cm; only where every member has one."""
    each = [node.base.attributes.all for node in nodes]
    reasons = [None if _positive(one) else str(one.get("green_kubo_reason") or "it was not computed") for one in each]
    problem = lacking(labels, reasons, "Green-Kubo conductivity")
    if problem is not None:
        return {"green_kubo_reason": problem}
    points = []
    for number, one in enumerate(each):
        value, std = float(one[KUBO]), float(one["green_kubo_ionic_conductivity_std_mS_cm"])
        # A positive quantity with this mean and standard error.
        spread = float(np.sqrt(np.log1p((std / value) ** 2)))
        generator = np.random.default_rng([number, 37])
        draws = value * np.exp(spread * generator.standard_normal(N_DRAWS) - 0.5 * spread**2)
        points.append(MemberPoint(samples_cm2_s=draws))
    point = pool(points, sampling)
    assert point.ci95_cm2_s is not None and point.samples_cm2_s is not None
    low, high = point.ci95_cm2_s
    return {
        KUBO: point.value_cm2_s,
        "green_kubo_ionic_conductivity_std_mS_cm": (high - low) / (2.0 * GAUSSIAN95),
        "green_kubo_ionic_conductivity_ci95_mS_cm": [low, high],
        "green_kubo_within_members_std_mS_cm": point.within_std_cm2_s,
        "green_kubo_between_members_std_mS_cm": point.between_std_cm2_s,
    }


def _positive(attributes: Mapping[str, Any]) -> bool:
    value, std = attributes.get(KUBO), attributes.get("green_kubo_ionic_conductivity_std_mS_cm")
    return bool(value and value > 0 and std and std > 0)


def tensor(
    nodes: Sequence[orm.ArrayData], labels: Sequence[str], sampling: Sampling, cells_A: Sequence[Any]
) -> dict[str, Any]:
    """Return the tensor of the tracer diffusivity, in the frame of the first member's cell.

    :param cells_A: of the members, angstrom, rows are vectors; ``None`` where it is not known.
    """
    each = [node.base.attributes.all for node in nodes]
    cells = [np.zeros((0, 3)) if cell is None else np.asarray(cell, dtype=float) for cell in cells_A]
    reasons = [_without_tensor(one, cell, cells[0]) for one, cell in zip(each, cells, strict=True)]
    problem = lacking(labels, reasons, "diffusivity tensor in the common frame")
    if problem is not None:
        return {"tensor_reason": problem}
    members = [
        turned(MemberTensor(np.array(one[TENSOR], dtype=float), _errors(one)), cell, cells[0])
        for one, cell in zip(each, cells, strict=True)
    ]
    pooled = pool_tensors(members, sampling)
    return {
        TENSOR: pooled.tensor_cm2_s.tolist(),
        "tracer_diffusivity_tensor_ci95_cm2_s": [list(edges) for edges in pooled.ci95_cm2_s],
        "tracer_diffusivity_principal_values_cm2_s": pooled.principal.values.tolist(),
        "tracer_diffusivity_principal_directions": pooled.principal.directions.tolist(),
        "anisotropy": pooled.anisotropy,
        "tensor_within_members_std_cm2_s": pooled.within_std_cm2_s.tolist(),
        "tensor_between_members_std_cm2_s": pooled.between_std_cm2_s.tolist() if sampling.is_measured else None,
    }


def _without_tensor(attributes: Mapping[str, Any], cell_A: FloatArray, first_A: FloatArray) -> str | None:
    """Return why a member has no tensor in the frame of the first; ``None`` if it has one."""
    if not attributes.get(TENSOR):
        return "no diffusion detected, or none by direction"
    if not len(cell_A) or not len(first_A):
        return "its cell, or that of the first, is not known"
    return different_shape(cell_A, first_A)


def _errors(attributes: Mapping[str, Any]) -> Any:
    edges: list[Interval] = attributes.get("tracer_diffusivity_tensor_ci95_cm2_s") or [(0.0, 0.0)] * 3
    return np.array([(high - low) / (2.0 * GAUSSIAN95) for low, high in edges])
