"""All species of a trajectory: which are diffusive, the diffusivity or bound of each, and the total conductivity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.analysis.diffusion.hops import grade
from aiida_ion.analysis.diffusion.result import DiffusionResult, interval95
from aiida_ion.analysis.diffusion.settings import DiffusionSettings
from aiida_ion.analysis.species.roles import Roles
from aiida_ion.analysis.trajectories.trajectory import MAX_FRAMEWORK_FRAMES, thin
from aiida_ion.verdicts import WITH_POSTERIOR

FloatArray = npt.NDArray[np.float64]
#: Analyses one species, given its element, the settings, and the stride of frames.
Measure = Callable[[str, DiffusionSettings, int], DiffusionResult]

MOBILE, OTHER, FRAMEWORK = "mobile", "also mobile", "framework"
#: Fields of the analysis that are kept in the row of a species.
MOTION = ("n_mobile_ions", "n_hops", "n_ions_hopped", "n_eff", "max_msd_A2", "verdict", "reason")
DIFFUSION = (
    "tracer_diffusivity_cm2_s",
    "tracer_diffusivity_ci95_cm2_s",
    "tracer_diffusivity_upper_bound_cm2_s",
    "fit_window_ps",
    "log_log_slope",
)
CONDUCTION = ("ionic_conductivity_mS_cm", "ionic_conductivity_ci95_mS_cm", "ionic_conductivity_upper_bound_mS_cm")
#: Column of a row -> field of the result, where the names differ.
RENAMED = {"n_mobile_ions": "n_ions"}


def fill_species(
    result: DiffusionResult,
    roles: Roles,
    charges: Mapping[str, float],
    settings: DiffusionSettings,
    stride: int,
    measure: Measure,
) -> None:
    """Fill in a row for each species, the total conductivity, and the Haven ratio if several species are diffusive.

    :param result: that of the mobile species.
    :param stride: its stride of stored frames.
    """
    rows = [_row(result, MOBILE, roles.mobile in charges)]
    others: dict[str, DiffusionResult] = {}
    alone = replace(settings, collective=False)
    for element in (*roles.others, *roles.framework):
        role = OTHER if element in roles.others else FRAMEWORK
        # A few frames are enough to show that a framework is at rest.
        every = stride if role == OTHER else stride * thin(result.n_frames, MAX_FRAMEWORK_FRAMES)
        try:
            diffusion = measure(element, alone, every)
        except ValueError as error:
            rows.append({"element": element, "role": role, "verdict": "unknown", "reason": _sentence(error)})
            continue
        rows.append(_row(diffusion, role, element in charges))
        if role == OTHER:
            others[element] = diffusion
    result.species = rows
    result.moved_species = [row["element"] for row in rows if row["verdict"] in WITH_POSTERIOR]
    samples = {element: diffusion.tracer_diffusivity_samples_cm2_s for element, diffusion in others.items()}
    result.other_samples_cm2_s = {element: draws for element, draws in samples.items() if draws is not None}
    _fill_total(result, roles, charges, others, settings.seed)
    if roles.others:
        _fill_haven_ratio(result, settings.seed)
        result.warnings += _words(result, rows)


def say_framework(result: DiffusionResult) -> None:
    """If the framework failed a check, say what it was assumed to be, and what to do if some of its ions are mobile."""
    failed = [check for check in result.checks if check["verdict"] == "fail"]
    if len(result.framework_species) < 2 or not any(check["name"].startswith("framework_") for check in failed):
        return
    result.warnings.append(
        f"The framework was assumed to be {' and '.join(result.framework_species)}: if ions of one of these should "
        "move, name the others as framework_species."
    )


def _row(diffusion: DiffusionResult, role: str, has_charge: bool) -> dict[str, Any]:
    """Return the row of a species; without its charge there is no conductivity."""
    row: dict[str, Any] = {"element": diffusion.mobile_species, "role": role}
    row |= {RENAMED.get(name, name): getattr(diffusion, name) for name in MOTION}
    row["grade"] = grade(diffusion.n_eff) if diffusion.moved else "bound"
    values = {name: getattr(diffusion, name) for name in DIFFUSION}
    values |= {name: getattr(diffusion, name) if has_charge else None for name in ("charge_e", *CONDUCTION)}
    return row | {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _sentence(error: ValueError) -> str:
    text = " ".join(str(error).split())
    return f"{text[:1].upper()}{text[1:]}."


def _fill_total(
    result: DiffusionResult,
    roles: Roles,
    charges: Mapping[str, float],
    others: Mapping[str, DiffusionResult],
    seed: int,
) -> None:
    """Fill in the Nernst-Einstein conductivity of all mobile species: independent draws of the diffusive ones, summed.

    A species without detected diffusion raises the upper edge of the interval by its bound; where no species is
    diffusive, the bounds add up.
    """
    elements = [roles.mobile, *roles.others]
    unknown = [element for element in elements if element not in charges or element not in {roles.mobile, *others}]
    if unknown:
        result.all_species_ionic_conductivity_reason = (
            f"The charge or the diffusion of {' and '.join(unknown)} is not known."
        )
        return
    each = [result, *others.values()]
    moved = [entry for entry in each if entry.tracer_diffusivity_samples_cm2_s is not None]
    bounds_mS_cm = sum(
        entry.ionic_conductivity_upper_bound_mS_cm or 0.0 for entry in each
    )  # None for the diffusive ones
    if not moved:
        result.all_species_ionic_conductivity_upper_bound_mS_cm = bounds_mS_cm
        return
    low, high = interval95(summed_draws([_conductivities(entry) for entry in moved], seed))
    result.all_species_ionic_conductivity_mS_cm = sum(entry.ionic_conductivity_mS_cm or 0.0 for entry in moved)
    result.all_species_ionic_conductivity_ci95_mS_cm = (low, high + bounds_mS_cm)
    result.all_species_ionic_conductivity_species = [entry.mobile_species for entry in moved]


def summed_draws(each: Sequence[FloatArray], seed: int) -> FloatArray:
    """Add draws of independent quantities, (n,); all but the first are shuffled because draws share their ranks."""
    generator = np.random.default_rng(seed + 2)
    total: FloatArray = each[0] + sum((generator.permutation(draws) for draws in each[1:]), np.zeros(len(each[0])))
    return total


def _conductivities(diffusion: DiffusionResult) -> FloatArray:
    assert diffusion.tracer_diffusivity_samples_cm2_s is not None
    drawn = diffusion.tracer_diffusivity_samples_cm2_s
    return ionic_conductivity_mS_cm(drawn, diffusion.charge_e, diffusion.number_density_A3, diffusion.temperature_K)


def _fill_haven_ratio(result: DiffusionResult, seed: int) -> None:
    """Haven ratio of several species: their Nernst-Einstein over their collective conductivity.

    If only the charges of the mobile species are used, the ratio stays that of this species alone.
    """
    if result.haven_ratio is None or result.collective_frame != "centre_of_charge":
        return
    draws = [
        ionic_conductivity_mS_cm(drawn, row["charge_e"], row["n_ions"] / result.volume_A3, result.temperature_K)
        for row in result.species
        if (drawn := result.other_samples_cm2_s.get(row["element"])) is not None
    ]
    collective = result.collective_diffusivity_samples_cm2_s
    if collective is None or result.all_species_ionic_conductivity_mS_cm is None:
        result.haven_ratio = result.haven_ratio_ci95 = None
        return
    unit = ionic_conductivity_mS_cm(1.0, result.charge_e, result.number_density_A3, result.temperature_K)
    ratio = summed_draws([_conductivities(result), *draws], seed) / (collective * unit)
    result.haven_ratio, result.haven_ratio_ci95 = float(np.median(ratio)), interval95(ratio)


def _words(result: DiffusionResult, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Sentences on other diffusive species, and on what the conductivity includes."""
    also = [row["element"] for row in rows if row["role"] == OTHER and row["verdict"] in WITH_POSTERIOR]
    still = [row["element"] for row in rows if row["role"] == OTHER and row["verdict"] not in WITH_POSTERIOR]
    words = []
    if also:
        counted = " and ".join(result.all_species_ionic_conductivity_species)
        total = f"; all_species_ionic_conductivity includes {counted}" if counted else ""
        words.append(
            f"{' and '.join(also)} diffused too: the diffusivity and ionic_conductivity are those of "
            f"{result.mobile_species} alone{total}."
        )
    if still:
        words.append(f"No diffusion was detected of {' and '.join(still)}, which is not part of the framework either.")
    return words
