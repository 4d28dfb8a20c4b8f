"""Is the framework still ordered? The first peak of its g(r), and the bonds present at the start."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from aiida_ion.analysis.checks.check import Check, graded, not_applicable, worst
from aiida_ion.analysis.checks.framework import MIN_FRAMES
from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.checks.sampled_frames import FloatArray, SampledFrames, neighbours, onset_ps
from aiida_ion.analysis.checks.units import N_WINDOWS, Bonds, Units

#: Width of the bins of g(r), and of the Gaussian that smooths it, angstrom.
BIN_A, SMOOTH_A = 0.05, 0.15
#: The first peak is searched between these multiples of the distance between neighbours.
PEAK_RANGE = (0.6, 1.4)
#: Fraction of the run compared at each end, without the very start, which is still cold in some runs; and the fewest
#: units of a kind for a meaningful g(r).
END_PART, COLD_PART, MIN_UNITS = 0.2, 0.05, 4
#: A bond is broken when it is this many times as long as at the start.
BROKEN_RATIO = 1.5


def order_checks(sampled: SampledFrames, units: Units, bonds: Bonds, limits: CheckLimits) -> list[Check]:
    """Height of the first framework peak relative to the start, and the fraction of bonds kept."""
    return [_peak(sampled, units, limits), _bonds_kept(sampled, bonds, limits)]


def _peak(sampled: SampledFrames, units: Units, limits: CheckLimits) -> Check:
    n_left = len(sampled.times_ps) - sampled.first
    n_end, cold = int(END_PART * n_left), int(COLD_PART * n_left)
    counted = [kind for kind in units.spacing_A if int((units.kinds == kind).sum()) >= MIN_UNITS]
    if not counted or n_end < MIN_FRAMES // 5:
        why = f"The framework has fewer than {MIN_UNITS} units of any kind, or the run has too few frames."
        return not_applicable("framework_peak_ratio", "", why)
    ratios = []
    unseen = []
    for kind in counted:
        centres, spacing = units.of(kind)[sampled.production], units.spacing_A[kind]
        cells = sampled.cells[sampled.production]
        start = _peak_height(centres[cold : cold + n_end], cells[cold : cold + n_end], spacing)
        end = _peak_height(centres[-n_end:], cells[-n_end:], spacing)
        if start <= 0.0:
            unseen.append(kind)
            continue
        message = (
            f"The first peak of g(r) of {kind} in the framework is {end / start:.3g} times as high as at the start"
        )
        ratios.append(
            graded(
                "framework_peak_ratio",
                end / start,
                "",
                warn=limits.framework_peak_ratio_warn,
                fail=limits.framework_peak_ratio_fail,
                below=True,
                message=message,
            )
        )
    if not ratios:
        why = f"No two units of {' or of '.join(unseen)} are about a neighbour distance apart at the start of the run."
        return not_applicable("framework_peak_ratio", "", why)
    return worst(ratios)


def _peak_height(centres: FloatArray, cells: FloatArray, spacing_A: float) -> float:
    """Height of the first peak of g(r), smoothed, in units that do not depend on the volume."""
    low, high = (factor * spacing_A for factor in PEAK_RANGE)
    edges = np.arange(0.0, high + 5.0 * SMOOTH_A, BIN_A)
    counts = np.zeros(len(edges) - 1)
    for frame, cell in zip(centres, cells, strict=True):
        distances = neighbours(frame, cell, float(edges[-1]))[3]
        counts += np.histogram(distances, edges)[0] * abs(float(np.linalg.det(cell)))
    middle = (edges[1:] + edges[:-1]) / 2.0
    smooth = ndimage.gaussian_filter1d(counts / middle**2, SMOOTH_A / BIN_A)
    return float(smooth[(middle >= low) & (middle <= high)].max() / len(centres))


def _bonds_kept(sampled: SampledFrames, bonds: Bonds, limits: CheckLimits) -> Check:
    """Smallest fraction of the initial bonds that is kept in any twentieth of the run."""
    if not len(bonds):
        return not_applicable("framework_bonds_kept", "", "The framework has no bonds.")
    windows = np.array_split(np.arange(len(sampled.times_ps)), min(N_WINDOWS, max(1, len(sampled.times_ps) // 5)))
    lengths = np.array([bonds.lengths_A(sampled.positions[w], sampled.cells[w]).mean(axis=0) for w in windows])
    broken = (lengths > BROKEN_RATIO * lengths[0]).mean(axis=1)
    kept = 1.0 - float(broken.max())
    message = f"{kept:.1%} of the {len(bonds)} bonds of the framework are kept"
    check = graded(
        "framework_bonds_kept",
        kept,
        "",
        warn=limits.framework_bonds_kept_warn,
        fail=limits.framework_bonds_kept_fail,
        below=True,
        message=message,
    )
    if check.verdict == "pass":
        return check
    middles = np.array([sampled.times_ps[w].mean() for w in windows])
    message = f"{check.message.rstrip('.')}; it began at about {onset_ps(middles, broken):.3g} ps."
    return Check(check.name, check.value, check.unit, check.limit, check.verdict, message)
