"""``fit_conductivity``: the diffusion nodes of one material -> its conductivity node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.analysis.arrhenius import ArrheniusPoint, ArrheniusResult, Priors, fit_arrhenius
from aiida_ion.calculations.functions import conductivity_arrays

#: Attributes that every diffusion of one material shares.
SHARED = ("mobile_species", "formula", "level_of_theory", "charge_e", "number_density_A3")


@calcfunction
def fit_conductivity(
    parameters: orm.Dict, convergence: orm.Dict | None = None, **diffusion: orm.ArrayData
) -> orm.ArrayData:
    """Fit the Arrhenius law to the posteriors of all temperatures and extrapolate the ionic conductivity.

    :param parameters: `target_temperature_K`; optionally `priors` of the fit and `failed`, the temperatures without a
        fit, each with its reason.
    :param convergence: the last decision on runs that were extended: why each temperature stopped.
    :param diffusion: diffusion nodes, one for each temperature.
    """
    settings = parameters.get_dict()
    said = {name: next(iter(diffusion.values())).base.attributes.get(name, None) for name in SHARED}
    result = fit_arrhenius(
        [arrhenius_point(node) for node in diffusion.values()],
        settings["target_temperature_K"],
        charge_e=said["charge_e"],
        number_density_A3=said["number_density_A3"],
        priors=Priors(**settings.get("priors", {})),
    )
    node = conductivity_arrays(result.arrays())
    attributes = said | result.attributes() | conductivity_numbers(result)
    attributes["temperatures_refused"] = result.temperatures_refused + settings.get("failed", [])
    attributes["temperatures_bound"] = [bound_entry(node) for node in diffusion.values() if not has_moved(node)]
    if convergence is not None:
        attributes["convergence"] = convergence.get_dict()
    node.base.attributes.set_many(attributes | {"summary": summary(attributes)})
    node.label = f"{said['formula']} {said['level_of_theory']}"
    return node


def check_priors(priors: Mapping[str, float]) -> None:
    """Refuse priors that the fit cannot use.

    :raises ValueError: for an empty range.
    :raises TypeError: for a name that no prior has.
    """
    Priors(**priors)


def arrhenius_point(node: orm.ArrayData) -> ArrheniusPoint:
    """Return what a diffusion node contributes to the fit: its posterior, or its bound."""
    attributes = node.base.attributes.all
    moved = has_moved(node)
    inconsistent = attributes.get("fit_consistent") is False
    return ArrheniusPoint(
        refused_because="kinisi and least squares disagree wildly on the same window" if inconsistent else None,
        temperature_K=attributes["temperature_K"],
        samples_cm2_s=node.get_array("tracer_diffusivity_samples_cm2_s") if moved else None,
        upper_bound_cm2_s=None if moved else attributes["tracer_diffusivity_upper_bound_cm2_s"],
    )


def has_moved(node: orm.ArrayData) -> bool:
    """Whether a diffusion node holds a diffusivity rather than a bound."""
    return bool(node.base.attributes.get("verdict") == "moved")


def bound_entry(node: orm.ArrayData) -> dict[str, Any]:
    """Return a temperature that enters as a bound, and why."""
    attributes = node.base.attributes
    return {"temperature_K": attributes.get("target_temperature_K"), "reason": attributes.get("reason")}


def conductivity_numbers(result: ArrheniusResult) -> dict[str, Any]:
    """Return the conductivity at the target temperature itself, mS/cm, beside its logarithm."""
    if result.log10_ionic_conductivity_mS_cm is None or result.log10_ionic_conductivity_ci95_mS_cm is None:
        return {"ionic_conductivity_mS_cm": None, "ionic_conductivity_ci95_mS_cm": None}
    return {
        "ionic_conductivity_mS_cm": 10**result.log10_ionic_conductivity_mS_cm,
        "ionic_conductivity_ci95_mS_cm": [10**edge for edge in result.log10_ionic_conductivity_ci95_mS_cm],
    }


def summary(attributes: Mapping[str, Any]) -> str:
    """Return the result in one sentence."""
    what = f"{attributes['formula']}, {attributes['level_of_theory']}"
    target = f"{attributes['target_temperature_K']:g} K"
    used = ", ".join(f"{temperature:.0f}" for temperature in attributes["temperatures_used_K"])
    if attributes["verdict"] == "measured":
        low, high = attributes["activation_energy_ci95_eV"]
        text = f"{what}: activation energy {attributes['activation_energy_eV']:.3f} eV [{low:.3f}, {high:.3f}]"
        if attributes["ionic_conductivity_mS_cm"] is None:
            return f"{text}, from {used} K"
        low, high = attributes["ionic_conductivity_ci95_mS_cm"]
        sigma = attributes["ionic_conductivity_mS_cm"]
        return f"{text}, ionic conductivity at {target} {sigma:.3g} mS/cm [{low:.3g}, {high:.3g}], from {used} K"
    bound = attributes["ionic_conductivity_upper_bound_mS_cm"]
    if attributes["verdict"] == "bound" and bound is not None:
        return f"{what}: ionic conductivity at {target} below {bound:.3g} mS/cm. {attributes['reason']}"
    return f"{what}: not measurable. {attributes['reason']}"
