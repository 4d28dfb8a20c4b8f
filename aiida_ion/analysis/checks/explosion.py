"""Did the run explode? Distances in its frames; forces, energies and temperature at every step."""

from __future__ import annotations

import numpy as np

from aiida_ion.analysis.checks.check import Check, graded, not_applicable
from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.checks.sampled_frames import FloatArray, SampledFrames, neighbours
from aiida_ion.analysis.checks.units import covalent_radii_A
from aiida_ion.analysis.trajectories.thermo import Thermo
from aiida_ion.settings.md import METAL_PART, NON_METALS

#: Distances are searched up to this multiple of the sum of the radii, in at most this many frames.
SEARCH_RATIO, MAX_DISTANCE_FRAMES = 0.8, 200
#: Steps over which the temperature is averaged.
HOT_STEPS = 50
#: Allowed deviation of the temperature over those steps, in standard deviations: small cells fluctuate.
HOT_DEVIATIONS = 6.0
NO_THERMO = "No thermo was given: name the segments' thermo beside their trajectories."


def judged_radii_A(symbols: tuple[str, ...]) -> FloatArray:  # noqa: N802
    """Radii for judging distances, angstrom, (N,): covalent radii, those of metals times 0.7.

    In a hot conductor two lithium ions come as close as half the length of a covalent bond.
    """
    metal = np.array([symbol not in NON_METALS for symbol in symbols])
    radii: FloatArray = covalent_radii_A(symbols) * np.where(metal, METAL_PART, 1.0)
    return radii


def distance_check(sampled: SampledFrames, limits: CheckLimits) -> Check:
    """Shortest distance between two atoms, relative to the sum of their radii, over the whole run."""
    radii = judged_radii_A(sampled.symbols)
    n_frames = len(sampled.times_ps)
    chosen = np.unique(np.linspace(0, n_frames - 1, min(n_frames, MAX_DISTANCE_FRAMES)).round().astype(int))
    ratio, where, pair = SEARCH_RATIO, 0, (0, 0)
    for frame in chosen:
        nearest = _nearest(sampled.positions[frame], sampled.cells[frame], radii)
        if nearest[0] < ratio:
            ratio, where, pair = nearest[0], int(frame), nearest[1]
    if ratio >= SEARCH_RATIO:
        message = f"No two atoms come closer than {SEARCH_RATIO:g} times the sum of their radii"
    else:
        names = "-".join(sampled.symbols[atom] for atom in pair)
        message = f"The shortest {names} distance is {ratio:.3g} of the sum of their radii"
        message += f", at {sampled.times_ps[where]:.4g} ps"
    return graded(
        "nearest_distance",
        ratio,
        "",
        warn=limits.min_distance_ratio_warn,
        fail=limits.min_distance_ratio_fail,
        below=True,
        message=message,
    )


def explosion_checks(thermo: Thermo | None, target_temperature_K: float | None, limits: CheckLimits) -> list[Check]:
    """Largest force, jumps of the potential energy, and temperatures far above the target, at every step."""
    if thermo is None or not len(thermo.times_ps):
        names = {"max_force": "eV/angstrom", "energy_jump": "eV/atom", "hot_ratio": ""}
        return [not_applicable(name, unit, NO_THERMO) for name, unit in names.items()]
    return [_force(thermo, limits), _energy_jump(thermo, limits), _hot(thermo, target_temperature_K, limits)]


def _nearest(positions: FloatArray, cell: FloatArray, radii: FloatArray) -> tuple[float, tuple[int, int]]:
    first, second, _, distances = neighbours(positions, cell, 2.0 * SEARCH_RATIO * float(radii.max()))
    if not len(distances):
        return np.inf, (0, 0)
    ratios = distances / (radii[first] + radii[second])
    k = int(np.argmin(ratios))
    return float(ratios[k]), (int(first[k]), int(second[k]))


def _force(thermo: Thermo, limits: CheckLimits) -> Check:
    if thermo.max_force_eV_A is None:
        return not_applicable("max_force", "eV/angstrom", "The run recorded no forces.")
    step = int(np.argmax(thermo.max_force_eV_A))
    largest = float(thermo.max_force_eV_A[step])
    return graded(
        "max_force",
        largest,
        "eV/angstrom",
        warn=limits.max_force_warn_eV_A,
        fail=limits.max_force_fail_eV_A,
        message=f"The largest force on an atom is {largest:.3g} eV/angstrom, at {thermo.times_ps[step]:.4g} ps",
    )


def _energy_jump(thermo: Thermo, limits: CheckLimits) -> Check:
    away = np.abs(thermo.potential_energy_eV - np.median(thermo.potential_energy_eV)) / thermo.n_atoms
    step = int(np.argmax(away))
    return graded(
        "energy_jump",
        float(away[step]),
        "eV/atom",
        warn=limits.energy_jump_warn_eV_atom,
        fail=limits.energy_jump_fail_eV_atom,
        message=f"The potential energy is at most {away[step]:.3g} eV/atom from its median, "
        f"at {thermo.times_ps[step]:.4g} ps",
    )


def _hot(thermo: Thermo, target_temperature_K: float | None, limits: CheckLimits) -> Check:
    if target_temperature_K is None:
        return not_applicable("hot_ratio", "", "The target temperature is not known.")
    n_mean = min(HOT_STEPS, len(thermo.times_ps))
    sums = np.cumsum(np.concatenate(([0.0], thermo.temperature_K)))
    means = (sums[n_mean:] - sums[:-n_mean]) / n_mean / target_temperature_K
    step = int(np.argmax(means))
    least = 1.0 + HOT_DEVIATIONS * np.sqrt(2.0 / max(1, 3 * thermo.n_atoms - 3))
    return graded(
        "hot_ratio",
        float(means[step]),
        "",
        warn=max(limits.hot_ratio_warn, least),
        fail=max(limits.hot_ratio_fail, least),
        message=f"The temperature over {n_mean} steps is at most {means[step]:.3g} times the target, "
        f"at {thermo.times_ps[step]:.4g} ps",
    )
