"""The conductivity of all mobile species at the target temperature: each is extrapolated, then they are added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.analysis.arrhenius.bound import detection_bound_cm2_s
from aiida_ion.analysis.arrhenius.fit import ArrheniusPoint, ArrheniusResult, Priors, fit_arrhenius
from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.analysis.diffusion.result import interval95, species_samples_name
from aiida_ion.analysis.species.every import OTHER, summed_draws
from aiida_ion.calculations.conductivity.points import conductivity_numbers, refusal
from aiida_ion.verdicts import BOUND, MEASURED, NOT_MEASURABLE, POORLY_KNOWN, is_poorly_known

TOTAL = "all_species_ionic_conductivity"
#: What is kept of the fit of each species.
KEPT = ("verdict", "reason", "activation_energy_eV", "activation_energy_ci95_eV", "temperatures_used_K")


def species_attributes(
    nodes: Sequence[orm.ArrayData], result: ArrheniusResult, attributes: Mapping[str, Any], priors: Priors
) -> dict[str, Any]:
    """Return a row for each mobile species, and their total conductivity, mS/cm, with its interval or bound.

    :param nodes: the diffusion nodes; those of earlier versions have only the mobile species.
    :param result: the fit of the mobile species.
    :param attributes: what the nodes share: `mobile_species`, `charge_e`, `number_density_A3`.
    """
    rows = [_row(str(attributes["mobile_species"]), result)]
    draws = [_draws(result, attributes["charge_e"], attributes["number_density_A3"])]
    for element in _others(nodes):
        results = [(node, _species_row(node, element)) for node in nodes]
        known = [(node, row) for node, row in results if row is not None and row.get("charge_e")]
        if not known:
            given = [row["reason"] for _, row in results if row is not None and row.get("reason")]
            reason = str(given[0]) if given else f"The charge of {element} is not known."
            rows.append({"element": element, "verdict": NOT_MEASURABLE, "reason": reason})
            draws.append(None)
            continue
        node, row = known[0]
        ions = (float(row["charge_e"]), row["n_ions"] / node.base.attributes.get("volume_A3"))
        fit = fit_arrhenius(
            [_point(node, row) for node, row in known],
            result.target_temperature_K,
            *ions,
            priors=priors,
            max_interval_decades=result.max_interval_decades,
        )
        rows.append(_row(element, fit))
        draws.append(_draws(fit, *ions))
    return {"species": rows} | _total(rows, draws, result.max_interval_decades)


def _others(nodes: Sequence[orm.ArrayData]) -> list[str]:
    """Return the other elements that diffused at any temperature."""
    rows = [row for node in nodes for row in node.base.attributes.get("species", None) or []]
    return list(dict.fromkeys(str(row["element"]) for row in rows if row["role"] == OTHER))


def _species_row(node: orm.ArrayData, element: str) -> dict[str, Any] | None:
    rows = node.base.attributes.get("species", None) or []
    return next((row for row in rows if row["element"] == element), None)


def _point(node: orm.ArrayData, row: Mapping[str, Any]) -> ArrheniusPoint:
    """Return what a temperature contributes for one species, as `arrhenius_point` does for the mobile one."""
    attributes = node.base.attributes.all
    refused = refusal(attributes) if attributes.get("refused_because") else None
    name = species_samples_name(str(row["element"]))
    if name in node.get_arraynames():
        return ArrheniusPoint(attributes["temperature_K"], node.get_array(name), refused_because=refused)
    bound = row.get("tracer_diffusivity_upper_bound_cm2_s")
    if bound is None:
        return ArrheniusPoint(attributes["temperature_K"], refused_because=refused or row.get("reason"))
    detection = detection_bound_cm2_s(
        bound, row["n_ions"] * attributes["n_replicas"], attributes["analysed_time_ps"], attributes["jump_distance_A"]
    )
    return ArrheniusPoint(attributes["temperature_K"], None, bound, detection, refused)


def _row(element: str, fit: ArrheniusResult) -> dict[str, Any]:
    attributes = fit.attributes()
    row: dict[str, Any] = {"element": element} | {name: attributes[name] for name in KEPT}
    bound = {"ionic_conductivity_upper_bound_mS_cm": fit.ionic_conductivity_upper_bound_mS_cm}
    return row | conductivity_numbers(fit) | bound


def _draws(fit: ArrheniusResult, charge_e: float | None, number_density_A3: float | None) -> NDArray[np.float64] | None:
    """Return draws of the conductivity at the target, mS/cm; ``None`` where there is none."""
    if fit.log10_ionic_conductivity_mS_cm is None or fit.log10_diffusivity_samples_cm2_s is None:
        return None
    assert charge_e is not None and number_density_A3 is not None
    drawn = 10.0**fit.log10_diffusivity_samples_cm2_s
    return ionic_conductivity_mS_cm(drawn, charge_e, number_density_A3, fit.target_temperature_K)


def _total(
    rows: Sequence[Mapping[str, Any]], draws: Sequence[NDArray[np.float64] | None], max_interval_decades: float
) -> dict[str, Any]:
    """Add up the species; one that has only a bound raises the upper edge of the interval by it."""
    names = ("_mS_cm", "_ci95_mS_cm", "_upper_bound_mS_cm", "_reason")
    total: dict[str, Any] = {f"{TOTAL}{name}": None for name in names} | {f"{TOTAL}_species": []}
    numbers = [(row, drawn) for row, drawn in zip(rows, draws, strict=True) if drawn is not None]
    rest = [row for row, drawn in zip(rows, draws, strict=True) if drawn is None]
    unknown = [row["element"] for row in rest if row.get("ionic_conductivity_upper_bound_mS_cm") is None]
    if unknown:
        reason = f"Neither a number nor a bound is known of {' and '.join(unknown)}."
        return total | {f"{TOTAL}_verdict": NOT_MEASURABLE, f"{TOTAL}_reason": reason}
    bounds = sum(row["ionic_conductivity_upper_bound_mS_cm"] for row in rest)
    if not numbers:
        return total | {f"{TOTAL}_verdict": BOUND, f"{TOTAL}_upper_bound_mS_cm": bounds}
    n_draws = min(len(drawn) for _, drawn in numbers)
    generator = np.random.default_rng(1)
    alike = [generator.permutation(drawn)[:n_draws] for _, drawn in numbers]
    low, high = interval95(summed_draws(alike, seed=1)) if len(numbers) > 1 else interval95(numbers[0][1])
    high += bounds
    return total | {
        f"{TOTAL}_verdict": POORLY_KNOWN if is_poorly_known(low, high, max_interval_decades) else MEASURED,
        f"{TOTAL}_mS_cm": sum(row["ionic_conductivity_mS_cm"] for row, _ in numbers),
        f"{TOTAL}_ci95_mS_cm": [low, high],
        f"{TOTAL}_species": [row["element"] for row, _ in numbers],
    }
