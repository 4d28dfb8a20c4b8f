"""What one diffusion node contributes to an extrapolation: its posterior, its bound, or a reason for neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.analysis.arrhenius.bound import detection_bound_cm2_s
from aiida_ion.analysis.arrhenius.fit import ArrheniusPoint, ArrheniusResult
from aiida_ion.calculations.conductivity.member_arrays import TRACER, samples_and_members
from aiida_ion.verdicts import WITH_POSTERIOR

DISAGREE = "kinisi and least squares disagree wildly on the same window"


def arrhenius_point(node: orm.ArrayData) -> ArrheniusPoint:
    """Return what a diffusion node contributes to the fit: its posterior, its bound, or a reason for neither."""
    attributes = node.base.attributes.all
    temperature, refused = attributes["temperature_K"], refusal(attributes)
    if has_moved(node):
        samples, members = samples_and_members(node, TRACER)
        return ArrheniusPoint(temperature, samples, refused_because=refused, members=members)
    if "members" in attributes:
        upper, detection = (
            attributes.get("tracer_diffusivity_upper_bound_cm2_s"),
            attributes.get("detection_bound_cm2_s"),
        )
        return ArrheniusPoint(temperature, None, upper, detection, refused)
    bound = attributes["tracer_diffusivity_upper_bound_cm2_s"]
    detection = detection_bound_cm2_s(
        bound,
        attributes["n_mobile_ions"] * attributes["n_replicas"],
        attributes["analysed_time_ps"],
        attributes["jump_distance_A"],
    )
    return ArrheniusPoint(temperature, None, bound, detection, refused)


def refusal(attributes: Mapping[str, Any]) -> str | None:
    """Return why a diffusion enters no extrapolation: its first failed check, or estimates that disagree."""
    if attributes.get("refused_because"):
        return str(attributes["refused_because"])
    return DISAGREE if attributes.get("fit_consistent") is False else None


def has_moved(node: orm.ArrayData) -> bool:
    """Whether a diffusion node holds a diffusivity, even a poorly known one, and not a bound."""
    return node.base.attributes.get("verdict") in WITH_POSTERIOR


def is_bound(node: orm.ArrayData) -> bool:
    """Whether a diffusion node enters as a bound."""
    return not has_moved(node) and refusal(node.base.attributes.all) is None


def bound_entry(node: orm.ArrayData) -> dict[str, Any]:
    """Return a temperature that enters as a bound, and why."""
    attributes = node.base.attributes
    return {"temperature_K": attributes.get("target_temperature_K"), "reason": attributes.get("reason")}


def conductivity_numbers(result: ArrheniusResult) -> dict[str, Any]:
    """Return the conductivity at the target temperature, mS/cm, and its logarithm."""
    if result.log10_ionic_conductivity_mS_cm is None or result.log10_ionic_conductivity_ci95_mS_cm is None:
        return {"ionic_conductivity_mS_cm": None, "ionic_conductivity_ci95_mS_cm": None}
    return {
        "ionic_conductivity_mS_cm": 10**result.log10_ionic_conductivity_mS_cm,
        "ionic_conductivity_ci95_mS_cm": [10**edge for edge in result.log10_ionic_conductivity_ci95_mS_cm],
    }
