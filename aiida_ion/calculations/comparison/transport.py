"""Diffusivities, conductivities and activation energies of two levels of theory, as ratios and differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.analysis.comparison.findings import Findings
from aiida_ion.analysis.comparison.ratios import Quantity, Ratio, difference, mean_log10_difference, ratio
from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.calculations.comparison.matched import (
    Match,
    match_of,
    matched_diffusivity,
    matched_energy,
    matched_target,
)
from aiida_ion.calculations.conductivity.points import has_moved
from aiida_ion.units import BOLTZMANN_EV_K
from aiida_ion.verdicts import NOT_MEASURABLE, POORLY_KNOWN, verdict_of, words_of

ENERGY = ("activation_energy_eV", "activation_energy_ci95_eV")
CONDUCTIVITY = ("ionic_conductivity_mS_cm", "ionic_conductivity_ci95_mS_cm", "ionic_conductivity_upper_bound_mS_cm")
DIFFUSIVITY = ("tracer_diffusivity_cm2_s", "tracer_diffusivity_ci95_cm2_s", "tracer_diffusivity_upper_bound_cm2_s")
#: What a temperature says of each level beside these: what it was really at, and how much to trust it.
CIRCUMSTANCES = ("temperature_mean_K", "grade", "n_eff", "analysed_time_ps", "fit_consistent")


def compare_transport(nodes: Mapping[str, Any], settings: Mapping[str, Any]) -> Findings:
    """Compare what the two levels say of the motion of the ions.

    :param nodes: `conductivity`, `diffusion_<T>` and the same with `reference_`; any may be missing.
    :param settings: parameters of the comparison.
    """
    match = match_of(nodes)
    findings = _conductivities(nodes, settings, match)
    findings.add(_temperatures(nodes, settings, match))
    if match is not None:
        findings.say(match.attributes)
        if match.sentence is not None:
            findings.lack(match.sentence)
    return findings


def _levels(nodes: Mapping[str, Any], settings: Mapping[str, Any], name: str) -> list[tuple[str, str, Any]]:
    """Return prefix, level of theory and node of both sides, the compared level first."""
    return [
        (prefix, settings[f"{prefix}level_of_theory"], nodes.get(f"{prefix}{name}")) for prefix in ("", "reference_")
    ]


def _conductivities(nodes: Mapping[str, Any], settings: Mapping[str, Any], match: Match | None) -> Findings:
    findings = Findings()
    target = settings.get("target_temperature_K")
    conductivities, energies = [], []
    for prefix, level, node in _levels(nodes, settings, "conductivity"):
        if node is None:
            findings.lack(f"Conductivity and activation energy: there is none of {level}.")
            continue
        attributes = node.base.attributes.all
        target = attributes["target_temperature_K"] if target is None else target
        if attributes["target_temperature_K"] != target:
            at = f"{attributes['target_temperature_K']:g} K, not {target:g} K"
            findings.lack(f"Conductivity: that of {level} is at {at}.")
            attributes = {name: value for name, value in attributes.items() if name not in CONDUCTIVITY}
        if attributes.get("activation_energy_eV") is None:
            findings.lack(f"Activation energy: not known of {level}. {attributes['reason']}")
        if verdict_of(attributes) == NOT_MEASURABLE:
            attributes = attributes | {CONDUCTIVITY[2]: None}
        findings.say(attributes, prefix, {name: name for name in (*CONDUCTIVITY, *ENERGY)})
        if (verdict := verdict_of(attributes)) in (POORLY_KNOWN, NOT_MEASURABLE):
            findings.lack(f"Conductivity: that of {level} is {words_of(verdict)}, so it is not compared.")
            conductivities.append(Quantity())
        else:
            conductivities.append(_conductivity(node, attributes, target))
        energies.append(_energy(node, attributes))
    findings.say({"target_temperature_K": target})
    if len(conductivities) < 2:
        return findings
    quotient, gap = ratio(*conductivities), difference(*energies)
    sides = nodes["conductivity"], nodes["reference_conductivity"]
    if quotient.ratio is not None:
        quotient = matched_target(match, *sides) or quotient
    if gap.value is not None:
        gap = matched_energy(match, *sides) or gap
    findings.say(ratio_attributes("ionic_conductivity", quotient))
    findings.say({"activation_energy_difference_eV": gap.value, "activation_energy_difference_ci95_eV": gap.ci95})
    if quotient.reason is not None:
        findings.lack(f"Ratio of the conductivities: {quotient.reason}.")
    return findings


def _conductivity(node: orm.ArrayData, attributes: Mapping[str, Any], target_temperature_K: float) -> Quantity:
    value, ci95, bound = (attributes.get(name) for name in CONDUCTIVITY)
    if value is None:
        return Quantity(upper_bound=bound)
    names = node.get_arraynames()
    if "log10_diffusivity_samples_cm2_s" in names:
        diffusivities = 10.0 ** _samples(node, "log10_diffusivity_samples_cm2_s")
    elif "activation_energy_samples_eV" in names:  # written before curved laws were averaged
        exponent = _samples(node, "activation_energy_samples_eV") / (BOLTZMANN_EV_K * target_temperature_K)
        diffusivities = 10.0 ** (_samples(node, "log10_prefactor_samples_cm2_s") - exponent / np.log(10.0))
    else:
        return Quantity(value, ci95)
    charge, density = attributes["charge_e"], attributes["number_density_A3"]
    samples = ionic_conductivity_mS_cm(diffusivities, charge, density, target_temperature_K)
    return Quantity(value, ci95, samples)


def _energy(node: orm.ArrayData, attributes: Mapping[str, Any]) -> Quantity:
    name = "activation_energy_samples_eV"
    samples = _samples(node, name) if name in node.get_arraynames() else None
    value, ci95 = (attributes.get(key) for key in ENERGY)
    return Quantity(value, ci95, samples)


def _temperatures(nodes: Mapping[str, Any], settings: Mapping[str, Any], match: Match | None) -> Findings:
    findings = Findings()
    sides = [starting_with(nodes, f"{prefix}diffusion_") for prefix in ("", "reference_")]
    labels = sorted({*sides[0], *sides[1]})
    if not labels:
        findings.lack("Diffusivities: there is none of either level.")
        return findings
    entries, ratios = [], []
    for label in labels:
        entry, quotient = _temperature(findings, [side.get(label) for side in sides], settings, match)
        entries.append(entry)
        ratios.append(quotient)
    findings.say({"temperatures": sorted(entries, key=lambda entry: float(entry["temperature_K"]))})
    # A cell that is fast is fast at every temperature.
    bias = mean_log10_difference(ratios, are_independent=match is None)
    gaps = [abs(quotient.log10_difference) for quotient in ratios if quotient.log10_difference is not None]
    if gaps:
        names = {"value": "log10_tracer_diffusivity_bias", "ci95": "log10_tracer_diffusivity_bias_ci95"}
        findings.say(vars(bias), names=names)
        findings.say({"log10_tracer_diffusivity_mae": float(np.mean(gaps)), "n_temperatures_compared": len(gaps)})
    return findings


def _temperature(
    findings: Findings, sides: list[Any], settings: Mapping[str, Any], match: Match | None
) -> tuple[dict[str, Any], Ratio]:
    """Return what both levels say at one temperature, and the ratio of their tracer diffusivities.

    :param findings: takes what is missing.
    :param sides: fits of the compared level and of the reference; one of them may be ``None``.
    :param settings: parameters of the comparison.
    :param match: of the cells, where both levels are pooled.
    """
    targets = [node.base.attributes.get("target_temperature_K") for node in sides if node is not None]
    here, at = Findings({"temperature_K": targets[0]}), f"{targets[0]:g} K"
    diffusivities, conductivities = [], []
    for prefix, node in zip(("", "reference_"), sides, strict=True):
        level = settings[f"{prefix}level_of_theory"]
        if node is None:
            findings.lack(f"Diffusivity at {at}: there is none of {level}.")
            diffusivities.append(Quantity())
            conductivities.append(Quantity())
            continue
        attributes = node.base.attributes.all
        here.say(attributes, prefix, {name: name for name in (*DIFFUSIVITY, *CONDUCTIVITY, *CIRCUMSTANCES)})
        usable = attributes.get("fit_consistent") is not False
        if not usable:
            findings.lack(f"Diffusivity at {at}: the fits of {level} disagree with each other, so it is not compared.")
        if usable and verdict_of(attributes) == POORLY_KNOWN:
            findings.lack(f"Diffusivity at {at}: that of {level} is poorly known, so it is not compared.")
            usable = False
        diffusivities.append(diffusivity_of(node, attributes) if usable else Quantity())
        conductivities.append(_conductivity_at(node, attributes) if usable else Quantity())
    quotient = ratio(*diffusivities)
    if quotient.ratio is not None:
        quotient = matched_diffusivity(match, *sides) or quotient
    here.say(ratio_attributes("tracer_diffusivity", quotient))
    here.say(ratio_attributes("ionic_conductivity", ratio(*conductivities)))
    if quotient.reason is not None and all(node is not None for node in sides):
        here.say({"reason": quotient.reason})
        findings.lack(f"Ratio of the diffusivities at {at}: {quotient.reason}.")
    return here.attributes, quotient


def starting_with(nodes: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the nodes whose names start with a prefix, by the rest of their names, in order."""
    return {name.removeprefix(prefix): nodes[name] for name in sorted(nodes) if name.startswith(prefix)}


def diffusivity_of(node: orm.ArrayData, attributes: Mapping[str, Any]) -> Quantity:
    """Return the tracer diffusivity of a fit, or its bound; cm^2/s."""
    value, ci95, bound = (attributes.get(name) for name in DIFFUSIVITY)
    if not has_moved(node):
        return Quantity(upper_bound=bound)
    name = "tracer_diffusivity_samples_cm2_s"
    return Quantity(value, ci95, _samples(node, name) if name in node.get_arraynames() else None)


def _conductivity_at(node: orm.ArrayData, attributes: Mapping[str, Any]) -> Quantity:
    """Nernst-Einstein conductivity at the temperature itself, from the draws of the tracer diffusivity."""
    value, ci95, bound = (attributes.get(name) for name in CONDUCTIVITY)
    if not has_moved(node):
        return Quantity(upper_bound=bound)
    samples = diffusivity_of(node, attributes).samples
    if samples is None or value is None:
        return Quantity(value, ci95)
    charge, density, temperature = attributes["charge_e"], attributes["number_density_A3"], attributes["temperature_K"]
    return Quantity(value, ci95, ionic_conductivity_mS_cm(samples, charge, density, temperature))


def _samples(node: orm.ArrayData, name: str) -> Any:
    return np.asarray(node.get_array(name), dtype=float)


def ratio_attributes(name: str, quotient: Ratio) -> dict[str, Any]:
    """Return a ratio under the names of its attributes."""
    return {
        f"{name}_ratio": quotient.ratio,
        f"{name}_ratio_ci95": quotient.ci95,
        f"{name}_ratio_upper_bound": quotient.upper_bound,
        f"{name}_ratio_lower_bound": quotient.lower_bound,
        f"log10_{name}_difference": quotient.log10_difference,
        f"log10_{name}_difference_ci95": quotient.log10_difference_ci95,
    }
