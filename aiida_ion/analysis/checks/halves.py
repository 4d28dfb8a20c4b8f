"""Is equilibration complete? The second half of the run against the first."""

from __future__ import annotations

import numpy as np
from scipy import stats

from aiida_ion.analysis.checks.check import Check, graded, not_applicable
from aiida_ion.analysis.checks.explosion import NO_THERMO
from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.checks.sampled_frames import FloatArray, SampledFrames
from aiida_ion.analysis.checks.temperature import ERRORS, MIN_ROWS, trend
from aiida_ion.analysis.diffusion.msd import msd_of_each
from aiida_ion.analysis.diffusion.result import DiffusionResult
from aiida_ion.analysis.trajectories.thermo import Thermo
from aiida_ion.units import MEV_PER_EV

#: Halves are compared at lags up to this fraction of their length, and at this many lags.
LAST_PART, N_LAGS = 0.5, 8
MIN_FRAMES = 40


def diffusivity_halves_check(sampled: SampledFrames, result: DiffusionResult, limits: CheckLimits) -> Check:
    """Slope of the MSD of the mobile ions in both halves, with errors from ions, blocks and hops."""
    name = "halves_diffusivity"
    positions = sampled.positions[sampled.production][:, sampled.is_mobile]
    if not result.moved or result.fit_window_ps is None:
        return not_applicable(name, "", "No diffusion was detected, so the halves of the run cannot be compared.")
    if len(positions) < MIN_FRAMES:
        return not_applicable(name, "", f"Fewer than {MIN_FRAMES} frames are left after equilibration.")
    half = len(positions) // 2
    frame_ps = float(sampled.times_ps[-1] - sampled.times_ps[sampled.first]) / (len(positions) - 1)
    last = int(LAST_PART * half)
    first = min(max(1, round(result.fit_window_ps[0] / frame_ps)), last // 2)
    lags = np.unique(np.linspace(first, last, N_LAGS).round().astype(np.int64))
    early, early_error = _slope(positions[:half], lags)
    late, late_error = _slope(positions[half:], lags)
    if early <= 0 or late <= 0:
        ratio, noise = np.inf, np.inf
    else:
        stated = 2.0 * (result.tracer_diffusivity_std_cm2_s or 0.0) / (result.tracer_diffusivity_cm2_s or 1.0)
        ratio = max(early, late) / min(early, late)
        noise = max(float(np.hypot(early_error / early, late_error / late)), stated)
    if not np.isfinite(ratio):
        return not_applicable(name, "", "The halves of the run are too short to compare.")
    faster = "second" if late > early else "first"
    return graded(
        name,
        ratio,
        "",
        warn=max(limits.halves_diffusivity_warn, float(np.exp(ERRORS * noise))),
        message=f"The ions are {ratio:.3g} times as fast in the {faster} half of the run as in the other",
    )


def energy_halves_check(thermo: Thermo | None, limits: CheckLimits) -> Check:
    """Mean potential energy of the second half minus that of the first.

    :param thermo: after equilibration.
    """
    name, unit = "halves_energy", "meV/atom"
    if thermo is None:
        return not_applicable(name, unit, NO_THERMO)
    if len(thermo.times_ps) < 2 * MIN_ROWS:
        return not_applicable(name, unit, f"Fewer than {2 * MIN_ROWS} steps are left after equilibration.")
    early, late = (trend(half) for half in np.array_split(thermo.potential_energy_eV, 2))
    per_atom = MEV_PER_EV / thermo.n_atoms
    difference = (late.mean - early.mean) * per_atom
    noise = ERRORS * float(np.hypot(early.mean_error, late.mean_error)) * per_atom
    return graded(
        name,
        abs(difference),
        unit,
        warn=max(limits.halves_energy_warn_meV_atom, noise),
        message=f"The potential energy of the second half is {difference:+.3g} meV/atom from that of the first",
    )


def _slope(positions: FloatArray, lags: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[float, float]:
    """Mean slope of the MSD over ions, angstrom^2/frame, and its standard error with Student's factor."""
    centred = lags - lags.mean()
    each = centred @ msd_of_each(positions, lags) / (centred @ centred)
    if len(each) < 2:
        return float(each.mean()), 0.0
    factor = float(stats.t.ppf(0.9987, len(each) - 1)) / ERRORS
    return float(each.mean()), factor * float(each.std(ddof=1)) / float(np.sqrt(len(each)))
