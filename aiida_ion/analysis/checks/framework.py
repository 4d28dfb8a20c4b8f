"""Is the framework still a crystal? Vibration, growth of the MSD, and displacement of its units."""

from __future__ import annotations

import numpy as np
from scipy import stats

from aiida_ion.analysis.checks.check import Check, graded, not_applicable, worst
from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.checks.sampled_frames import FloatArray, SampledFrames, onset_ps
from aiida_ion.analysis.checks.units import N_WINDOWS, Units
from aiida_ion.analysis.diffusion.msd import msd_of_each

#: Fewest frames after equilibration for these checks.
MIN_FRAMES = 20
#: Parts of a run over which the vibration is measured.
N_VIBRATION_WINDOWS = 5
#: Number of lags of the growth, from a tenth to half of the run.
N_LAGS = 12
LONE_UNIT = "The framework is a single unit, and positions are measured from it: whether it moves cannot be seen."
#: The checks and the units of their numbers.
NAMES = {"framework_growth": "angstrom^2", "framework_vibration": "", "framework_displaced": ""}
#: A unit has left its site beyond this fraction of the distance to its neighbours.
DISPLACED_PART = 0.5


def framework_checks(sampled: SampledFrames, units: Units, limits: CheckLimits) -> list[Check]:
    """Growth of the MSD, vibration and displacement of the framework, each for the worst kind of unit."""
    if not len(units.kinds):
        why = "There is no framework: every atom is of the mobile species."
        return [not_applicable(name, unit, why) for name, unit in NAMES.items()]
    if len(units.kinds) == 1:
        return [not_applicable(name, unit, LONE_UNIT) for name, unit in NAMES.items()]
    return rest_checks(sampled, units, limits)


def rest_checks(sampled: SampledFrames, units: Units, limits: CheckLimits) -> list[Check]:
    """The same checks for any units, however few, whose positions are measured from something else."""
    if len(sampled.times_ps) - sampled.first < MIN_FRAMES:
        why = f"Fewer than {MIN_FRAMES} frames are left after equilibration."
        return [not_applicable(name, unit, why) for name, unit in NAMES.items()]
    kinds = list(units.spacing_A)
    return [
        worst([_growth(sampled, units, kind, limits) for kind in kinds]),
        worst([_vibration(sampled, units, kind, limits) for kind in kinds]),
        worst([_displaced(sampled, units, kind, limits) for kind in kinds]),
    ]


def _growth(sampled: SampledFrames, units: Units, kind: str, limits: CheckLimits) -> Check:
    """Growth of the MSD from lags of a tenth to half of the run: the lower edge of its 95 % interval."""
    centres = units.of(kind)[sampled.production]
    n_lags = len(centres) - 1
    lags = np.unique(np.linspace(max(1, n_lags // 10), n_lags // 2, N_LAGS).round().astype(np.int64))
    centred = lags - lags.mean()
    each = centred @ msd_of_each(centres, lags) / (centred @ centred) * (lags[-1] - lags[0])
    growth = float(each.mean())
    error = float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else 0.0
    low = growth - (float(stats.t.ppf(0.975, len(each) - 1)) * error if len(each) > 1 else 0.0)
    frame_ps = float(sampled.times_ps[-1] - sampled.times_ps[sampled.first]) / n_lags
    message = (
        f"The mean squared displacement of {kind} in the framework grows by {growth:.3g} angstrom^2 "
        f"(at least {low:.3g} with 97.5 % confidence) between lags of {lags[0] * frame_ps:.3g} and "
        f"{lags[-1] * frame_ps:.3g} ps"
    )
    check = graded(
        "framework_growth",
        low,
        "angstrom^2",
        warn=limits.framework_growth_warn_A2,
        fail=limits.framework_growth_fail_A2,
        message=message,
    )
    return _with_onset(check, sampled, units, kind)


def _vibration(sampled: SampledFrames, units: Units, kind: str, limits: CheckLimits) -> Check:
    """RMS distance from the mean position in fifths of the run, relative to the distance between neighbours."""
    centres = units.of(kind)[sampled.production]
    parts = np.array_split(centres, N_VIBRATION_WINDOWS)
    around = [float(np.sqrt(((part - part.mean(axis=0)) ** 2).sum(axis=2).mean())) for part in parts]
    ratios = np.array(around) / units.spacing_A[kind]
    largest = int(np.argmax(ratios))
    message = (
        f"{kind} in the framework vibrates by {around[largest]:.3g} angstrom in fifth {largest + 1} of the run, "
        f"{ratios[largest]:.3g} of the distance between neighbours"
    )
    check = graded(
        "framework_vibration",
        float(ratios[largest]),
        "",
        warn=limits.framework_vibration_warn,
        fail=limits.framework_vibration_fail,
        message=message,
    )
    return _with_onset(check, sampled, units, kind)


def _displaced(sampled: SampledFrames, units: Units, kind: str, limits: CheckLimits) -> Check:
    """Fraction of units whose mean position, over a twentieth of the run, has moved away from that at the start."""
    centres = units.of(kind)
    windows = np.array_split(np.arange(len(centres)), min(N_WINDOWS, len(centres) // 5))
    means = np.array([centres[window].mean(axis=0) for window in windows])
    away = np.linalg.norm(means - means[0], axis=2) > DISPLACED_PART * units.spacing_A[kind]
    parts = away.mean(axis=1)
    largest = float(parts.max())
    message = f"{largest:.1%} of {kind} in the framework leave their sites by half the distance between neighbours"
    check = graded(
        "framework_displaced",
        largest,
        "",
        warn=limits.framework_displaced_warn,
        fail=limits.framework_displaced_fail,
        message=message,
    )
    return _with_onset(check, sampled, units, kind)


def _with_onset(check: Check, sampled: SampledFrames, units: Units, kind: str) -> Check:
    """Add the time of onset to the message of a check that does not pass."""
    if check.verdict == "pass":
        return check
    began = onset_ps(sampled.times_ps, distance_from_start(units.of(kind)))
    message = f"{check.message.rstrip('.')}; it began at about {began:.3g} ps."
    return Check(check.name, check.value, check.unit, check.limit, check.verdict, message)


def distance_from_start(centres: FloatArray) -> FloatArray:
    """Mean squared distance of the units from their positions in the first twentieth, angstrom^2, (n,)."""
    start = centres[: max(1, len(centres) // N_WINDOWS)].mean(axis=0)
    squares: FloatArray = ((centres - start) ** 2).sum(axis=2).mean(axis=1)
    return squares
