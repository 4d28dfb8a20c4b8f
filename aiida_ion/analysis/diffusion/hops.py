"""The number of hops in a trajectory, the resulting error of D, and bounds of D if there are few."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage, stats

from aiida_ion.units import CM2_S_PER_A2_PS

FloatArray = npt.NDArray[np.float64]

#: Grades of a diffusivity by effective hops: relative error below 28 %, below 52 %, and order of magnitude.
GRADES = ((200.0, "A"), (50.0, "B"), (10.0, "C"))


class HopCount(NamedTuple):
    """Hops of each ion, shape (M,)."""

    per_ion: npt.NDArray[np.int64]

    @property
    def n_hops(self) -> int:
        """Hops of all ions."""
        return int(self.per_ion.sum())

    @property
    def n_ions_hopped(self) -> int:
        """Ions that hopped at least once; they determine the error of D (Usler, J Comput Chem 44, 1347)."""
        return int((self.per_ion > 0).sum())


def effective_hops(n_ions: int, max_msd_A2: float, jump_distance_A: float) -> float:
    """N_eff = N max MSD / a^2 (He, Zhu, Epstein and Mo, npj Comput Mater 4, 18 (2018))."""
    return n_ions * max_msd_A2 / jump_distance_A**2


def relative_error(n_eff: float) -> float:
    """Relative standard deviation of D from effective hops, 3.43 / sqrt(N_eff) + 0.04 (He et al. 2018)."""
    return float("inf") if n_eff <= 0 else 3.43 / float(np.sqrt(n_eff)) + 0.04


def grade(n_eff: float) -> str:
    """Grade of a diffusivity based on ``n_eff`` effective hops: A, B, C, or ``bound``."""
    return next((letter for least, letter in GRADES if n_eff >= least), "bound")


def count_hops(positions: FloatArray, jump_distance_A: float, smoothing_frames: int = 1) -> HopCount:
    """Count net displacements of more than half a jump from the last resting position.

    Positions are first smoothed by a running mean, so that vibration does not count.

    :param positions: unwrapped positions in the framework's frame, angstrom, (n, M, 3).
    :param jump_distance_A: distance between neighbouring sites, angstrom.
    :param smoothing_frames: width of the running mean, frames.
    """
    smooth = ndimage.uniform_filter1d(positions, max(1, smoothing_frames), axis=0, mode="nearest")
    reference = smooth[0].copy()
    hops = np.zeros(positions.shape[1], dtype=np.int64)
    limit = (jump_distance_A / 2.0) ** 2
    for frame in smooth[1:]:
        moved = ((frame - reference) ** 2).sum(axis=1) > limit
        hops += moved
        reference[moved] = frame[moved]
    return HopCount(hops)


def poisson_upper_bound_cm2_s(
    n_hops: int, n_ions: int, time_ps: float, jump_distance_A: float, confidence: float = 0.95
) -> float:
    """Upper bound of D from the hop count, cm^2/s.

    The Poisson limit of the number of hops is chi2.ppf(confidence, 2 (n + 1)) / 2 (3.0 for none at 95 %);
    uncorrelated hops of length a give D = hops a^2 / (6 N t).

    :param time_ps: length of the trajectory, ps; with replicas, ``n_ions`` counts the ions of all.
    """
    most_hops = stats.chi2.ppf(confidence, 2 * (n_hops + 1)) / 2.0
    return float(most_hops * jump_distance_A**2 / (6.0 * n_ions * time_ps) * CM2_S_PER_A2_PS)
