"""The collective conductivity at the target temperature, and the temperatures that it could not use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm

from aiida_ion.analysis.arrhenius.fit import MIN_TEMPERATURES, ArrheniusPoint, Priors, fit_arrhenius
from aiida_ion.calculations.conductivity.member_arrays import COLLECTIVE as COLLECTIVE_SAMPLES
from aiida_ion.calculations.conductivity.member_arrays import samples_and_members
from aiida_ion.calculations.conductivity.points import DISAGREE, conductivity_numbers, has_moved, refusal
from aiida_ion.verdicts import MAX_INTERVAL_DECADES, POORLY_KNOWN

#: What is kept of the collective fit: its own names and those of the node.
COLLECTIVE = {
    "verdict": "collective_verdict",
    "activation_energy_eV": "collective_activation_energy_eV",
    "activation_energy_std_eV": "collective_activation_energy_std_eV",
    "activation_energy_ci95_eV": "collective_activation_energy_ci95_eV",
    "log10_ionic_conductivity_mS_cm": "log10_collective_ionic_conductivity_mS_cm",
    "log10_ionic_conductivity_std_mS_cm": "log10_collective_ionic_conductivity_std_mS_cm",
    "log10_ionic_conductivity_ci95_mS_cm": "log10_collective_ionic_conductivity_ci95_mS_cm",
    "arrhenius_consistent": "collective_arrhenius_consistent",
    "preferred_law": "collective_preferred_law",
}


def collective_attributes(
    nodes: Sequence[orm.ArrayData],
    target_temperature_K: float,
    charge_e: float | None,
    number_density_A3: float | None,
    priors: Priors,
    max_interval_decades: float = MAX_INTERVAL_DECADES,
) -> dict[str, Any]:
    """Return the collective conductivity, extrapolated from the temperatures that have one, or why there is none.

    A temperature without detected diffusion bounds only the tracer diffusivity, so it is not used here.
    `collective_temperatures_refused` lists the temperatures without a collective diffusivity, each with its reason.
    """
    attributes: dict[str, Any] = dict.fromkeys(COLLECTIVE.values())
    attributes |= {"collective_ionic_conductivity_mS_cm": None, "collective_ionic_conductivity_ci95_mS_cm": None}
    reasons = [(node, left_out(node)) for node in nodes]
    used = [node for node, reason in reasons if reason is None]
    refused = [
        {"temperature_K": node.base.attributes.get("temperature_K"), "reason": reason}
        for node, reason in reasons
        if reason is not None
    ]
    refused.sort(key=lambda entry: float(entry["temperature_K"]))
    points = [_point(node) for node in used]
    attributes["collective_temperatures_used_K"] = [point.temperature_K for point in points]
    attributes["collective_temperatures_refused"] = refused
    if not points:
        reason = "No temperature has a collective diffusivity that can be used."
        return attributes | {"collective_reason": reason, "collective_warnings": [_listed(refused)]}
    given = (target_temperature_K, charge_e, number_density_A3)
    result = fit_arrhenius(points, *given, priors=priors, max_interval_decades=max_interval_decades)
    fitted = result.attributes()
    attributes |= {ours: fitted[theirs] for theirs, ours in COLLECTIVE.items()}
    attributes |= {f"collective_{key}": value for key, value in conductivity_numbers(result).items()}
    if result.activation_energy_eV is None:
        moved = sum(has_moved(node) for node in nodes)
        reason = (
            f"A collective diffusivity is known at {len(points)} of the {moved} diffusive temperatures; "
            f"{MIN_TEMPERATURES} different ones are needed to extrapolate to {target_temperature_K:g} K. "
            f"{_listed(refused)}"
        )
        return attributes | {"collective_reason": reason.rstrip(), "collective_warnings": result.warnings}
    warnings = [*result.warnings, *([_listed(refused)] if refused else [])]
    if result.verdict == POORLY_KNOWN:  # there is a number; the sentence is about its interval
        return attributes | {"collective_reason": None, "collective_warnings": [str(result.reason), *warnings]}
    return attributes | {"collective_reason": result.reason, "collective_warnings": warnings}


def _point(node: orm.ArrayData) -> ArrheniusPoint:
    samples, members = samples_and_members(node, COLLECTIVE_SAMPLES)
    return ArrheniusPoint(node.base.attributes.get("temperature_K"), samples, members=members)


def left_out(node: orm.ArrayData) -> str | None:
    """Return why a temperature has no collective diffusivity that can be used; ``None`` if it has one."""
    attributes = node.base.attributes.all
    refused = collective_refusal(attributes)
    if refused is not None or COLLECTIVE_SAMPLES in node.get_arraynames():
        return refused
    if attributes.get("collective_reason"):
        return str(attributes["collective_reason"])
    if not has_moved(node):
        return f"No diffusion detected. {attributes.get('reason') or ''}".rstrip()
    return "The fit gave no collective diffusivity."


def collective_refusal(attributes: Mapping[str, Any]) -> str | None:
    """Return why the collective diffusivity of a temperature is not used."""
    if attributes.get("collective_fit_consistent") is False:
        return DISAGREE
    return refusal(attributes)


def _listed(refused: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence on the temperatures that were left out, and why."""
    each = "; ".join(f"{entry['temperature_K']:.0f} K: {str(entry['reason']).rstrip('.')}" for entry in refused)
    return f"Left out of the collective fit: {each}." if refused else ""
