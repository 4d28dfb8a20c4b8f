"""A conductivity in one sentence or two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida_ion.analysis.arrhenius.influence import distance_sentence
from aiida_ion.verdicts import MEASURED, POORLY_KNOWN


def summary(attributes: Mapping[str, Any]) -> str:
    """Return the result of a conductivity node, and the caveats.

    :param attributes: those of the node.
    """
    what = f"{attributes['formula']}, {attributes['level_of_theory']}"
    target = f"{attributes['target_temperature_K']:g} K"
    if attributes["verdict"] == POORLY_KNOWN:
        parts = [f"{what}: poorly known. {_poorly(attributes, target)}", attributes["reason"], _distance(attributes)]
        return ". ".join(part.rstrip(".") for part in [*parts, *attributes["warnings"]] if part)
    if attributes["verdict"] == MEASURED:
        parts = [f"{what}: {_measured(attributes, target)}", _distance(attributes)]
        return ". ".join(part.rstrip(".") for part in [*parts, *attributes["warnings"]] if part)
    bound = attributes["ionic_conductivity_upper_bound_mS_cm"]
    if attributes["verdict"] == "bound" and bound is not None:
        return f"{what}: ionic conductivity at {target} below {bound:.3g} mS/cm. {attributes['reason']}"
    return f"{what}: undetermined. {attributes['reason']}"


def _poorly(attributes: Mapping[str, Any], target: str) -> str:
    low, high = attributes["activation_energy_ci95_eV"]
    text = f"Activation energy between {low:.3f} and {high:.3f} eV"
    if attributes["ionic_conductivity_ci95_mS_cm"] is not None:
        low, high = attributes["ionic_conductivity_ci95_mS_cm"]
        text += f", ionic conductivity at {target} between {low:.3g} and {high:.3g} mS/cm"
    return f"{text}, from {_used(attributes)} K"


def _used(attributes: Mapping[str, Any]) -> str:
    return ", ".join(f"{temperature:.0f}" for temperature in attributes["temperatures_used_K"])


def _measured(attributes: Mapping[str, Any], target: str) -> str:
    used = _used(attributes)
    low, high = attributes["activation_energy_ci95_eV"]
    text = f"activation energy {attributes['activation_energy_eV']:.3f} eV [{low:.3f}, {high:.3f}]"
    if attributes["ionic_conductivity_mS_cm"] is None:
        return f"{text}, from {used} K"
    low, high = attributes["ionic_conductivity_ci95_mS_cm"]
    sigma = attributes["ionic_conductivity_mS_cm"]
    how = ", averaged over straight and curved laws" if attributes["averaged_over_laws"] else ""
    return f"{text}, ionic conductivity at {target} {sigma:.3g} mS/cm [{low:.3g}, {high:.3g}]{how}, from {used} K"


def _distance(attributes: Mapping[str, Any]) -> str | None:
    factor, leverage = attributes["extrapolation_factor"], attributes["extrapolation_leverage"]
    return distance_sentence(factor, leverage, attributes["target_temperature_K"])
