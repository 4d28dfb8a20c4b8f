"""``fit_conductivity``: the diffusion nodes of one material -> its conductivity node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.analysis.arrhenius import ArrheniusPoint, ArrheniusResult, Priors, fit_arrhenius
from aiida_ion.analysis.arrhenius_bound import detection_bound_cm2_s
from aiida_ion.calculations.conductivity_summary import summary
from aiida_ion.calculations.functions import conductivity_arrays

#: Attributes that every diffusion of one material shares.
SHARED = ("mobile_species", "formula", "level_of_theory", "charge_e", "number_density_A3")
DISAGREE = "kinisi and least squares disagree wildly on the same window"
#: What is kept of the collective fit: its own names and those of the node.
COLLECTIVE = {
    "activation_energy_eV": "collective_activation_energy_eV",
    "activation_energy_std_eV": "collective_activation_energy_std_eV",
    "activation_energy_ci95_eV": "collective_activation_energy_ci95_eV",
    "log10_ionic_conductivity_mS_cm": "log10_collective_ionic_conductivity_mS_cm",
    "log10_ionic_conductivity_std_mS_cm": "log10_collective_ionic_conductivity_std_mS_cm",
    "log10_ionic_conductivity_ci95_mS_cm": "log10_collective_ionic_conductivity_ci95_mS_cm",
    "arrhenius_consistent": "collective_arrhenius_consistent",
    "preferred_law": "collective_preferred_law",
}


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
    nodes = list(diffusion.values())
    said = {name: nodes[0].base.attributes.get(name, None) for name in SHARED}
    given = (settings["target_temperature_K"], said["charge_e"], said["number_density_A3"])
    priors = Priors(**settings.get("priors", {}))
    result = fit_arrhenius([arrhenius_point(node) for node in nodes], *given, priors=priors)
    node = conductivity_arrays(result.arrays())
    attributes = said | result.attributes() | conductivity_numbers(result)
    attributes |= collective_attributes(nodes, *given, priors)
    attributes["temperatures_refused"] = result.temperatures_refused + settings.get("failed", [])
    attributes["temperatures_bound"] = [bound_entry(one) for one in nodes if is_bound(one)]
    if convergence is not None:
        attributes["convergence"] = convergence.get_dict()
    node.base.attributes.set_many(attributes | {"summary": summary(attributes)})
    node.label = f"{said['formula']} {said['level_of_theory']}"
    return node


def arrhenius_point(node: orm.ArrayData) -> ArrheniusPoint:
    """Return what a diffusion node contributes to the fit: its posterior, its bound, or why neither."""
    attributes = node.base.attributes.all
    temperature, refused = attributes["temperature_K"], refusal(attributes)
    if has_moved(node):
        samples = node.get_array("tracer_diffusivity_samples_cm2_s")
        return ArrheniusPoint(temperature, samples, refused_because=refused)
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


def collective_attributes(
    nodes: Iterable[orm.ArrayData],
    target_temperature_K: float,
    charge_e: float | None,
    number_density_A3: float | None,
    priors: Priors,
) -> dict[str, Any]:
    """Return the extrapolated collective conductivity, from the temperatures that have one; else why there is none.

    A temperature that did not move bounds the tracer diffusivity alone, so it does not enter here.
    """
    name = "collective_diffusivity_samples_cm2_s"
    found: dict[str, Any] = dict.fromkeys(COLLECTIVE.values())
    found |= {"collective_ionic_conductivity_mS_cm": None, "collective_ionic_conductivity_ci95_mS_cm": None}
    used = [
        node for node in nodes if name in node.get_arraynames() and collective_refusal(node.base.attributes.all) is None
    ]
    points = [ArrheniusPoint(node.base.attributes.get("temperature_K"), node.get_array(name)) for node in used]
    found["collective_temperatures_used_K"] = [point.temperature_K for point in points]
    if not points:
        return found | {"collective_reason": "No temperature has a collective diffusivity that can be used."}
    result = fit_arrhenius(points, target_temperature_K, charge_e, number_density_A3, priors=priors)
    said = result.attributes()
    found |= {ours: said[theirs] for theirs, ours in COLLECTIVE.items()}
    found |= {f"collective_{key}": value for key, value in conductivity_numbers(result).items()}
    return found | {"collective_reason": result.reason, "collective_warnings": result.warnings}


def collective_refusal(attributes: Mapping[str, Any]) -> str | None:
    """Return why the collective diffusivity of a temperature is not used."""
    if attributes.get("collective_fit_consistent") is False:
        return DISAGREE
    return refusal(attributes)


def has_moved(node: orm.ArrayData) -> bool:
    """Whether a diffusion node holds a diffusivity rather than a bound."""
    return bool(node.base.attributes.get("verdict") == "moved")


def is_bound(node: orm.ArrayData) -> bool:
    """Whether a diffusion node enters as a bound."""
    return not has_moved(node) and refusal(node.base.attributes.all) is None


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
