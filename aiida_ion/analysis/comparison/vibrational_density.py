"""The vibrational density of states from velocities, and its distance between two runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import integrate, signal

from aiida_ion.units import FS_PER_PS, THZ_PER_INVERSE_FS

FloatArray = npt.NDArray[np.float64]

#: Frequency resolution, THz: windows of 1 ps.
RESOLUTION_THZ = 1.0
#: Fewest frames in a window for a useful spectrum.
MIN_WINDOW_FRAMES = 16
#: Atoms transformed at one time.
CHUNK_ATOMS = 64


@dataclass(frozen=True)
class VibrationalDensity:
    """Mass-weighted density of states, normalised to an area of one.

    :param frequency_THz: from zero to the Nyquist frequency, (m,).
    :param density_1_THz: 1/THz, (m,); its value at zero frequency is the diffusion of the atoms.
    :param n_windows: number of windows averaged over all runs.
    """

    frequency_THz: FloatArray
    density_1_THz: FloatArray
    n_windows: int

    @property
    def nyquist_THz(self) -> float:  # noqa: N802
        """Half the sampling rate; vibrations above it are aliased below it."""
        return float(self.frequency_THz[-1])


def vibrational_density(
    runs: Sequence[npt.NDArray[np.floating]],
    masses: npt.NDArray[np.floating],
    interval_fs: float,
    resolution_THz: float = RESOLUTION_THZ,
) -> VibrationalDensity:
    """Power spectrum of the mass-weighted velocities by Welch's method (Hann windows, half overlapping).

    :param runs: velocities of each run, any unit, (n, N, 3); runs shorter than a window are left out.
    :param masses: shape (N,), any unit.
    :param interval_fs: time between two frames, fs.
    :param resolution_THz: inverse length of a window.
    :raises ValueError: if no run is as long as a window, frames are too far apart, or nothing moves.
    """
    window = 2 * round(THZ_PER_INVERSE_FS / (resolution_THz * interval_fs) / 2)  # even: ends at the Nyquist frequency
    if window < MIN_WINDOW_FRAMES:
        raise ValueError(
            f"frames {interval_fs:g} fs apart are too sparse for vibrations: velocities are needed every "
            f"{THZ_PER_INVERSE_FS / (resolution_THz * MIN_WINDOW_FRAMES):g} fs or more often"
        )
    long_enough = [run for run in runs if len(run) >= window]
    if not long_enough:
        longest = max((len(run) for run in runs), default=0) * interval_fs / FS_PER_PS
        raise ValueError(
            f"the longest run has {longest:.3g} ps of velocities; {window * interval_fs / FS_PER_PS:.3g} ps are needed "
            f"to resolve {resolution_THz:g} THz"
        )
    power, n_windows = np.zeros(window // 2 + 1), 0
    for run in long_enough:
        count = (len(run) - window) // (window - window // 2) + 1
        power += count * _spectrum(run, masses, interval_fs, window)
        n_windows += count
    power[[0, -1]] *= 2.0  # Welch's one-sided spectrum doubles all frequencies except these two
    frequency: FloatArray = np.fft.rfftfreq(window, interval_fs / THZ_PER_INVERSE_FS).astype(np.float64)
    area = float(integrate.trapezoid(power, frequency))
    if not (np.isfinite(area) and area > 0):
        raise ValueError("the velocities are zero or not finite")
    return VibrationalDensity(frequency, power / area, n_windows)


def on_frequencies(density: VibrationalDensity, frequency_THz: FloatArray) -> FloatArray:
    """Density at other frequencies, linearly interpolated and normalised again to an area of one, 1/THz.

    :param frequency_THz: within the range of the density, (k,).
    """
    values = np.interp(frequency_THz, density.frequency_THz, density.density_1_THz)
    normalised: FloatArray = values / integrate.trapezoid(values, frequency_THz)
    return normalised


def common_frequencies(densities: Sequence[VibrationalDensity]) -> FloatArray:
    """Frequencies of the first density up to the smallest Nyquist frequency of all, THz."""
    limit = min(density.nyquist_THz for density in densities)
    grid = densities[0].frequency_THz
    return grid[grid <= limit * (1.0 + 1e-9)]


def vdos_distance(density: VibrationalDensity, reference: VibrationalDensity) -> float:
    """Half the area between two densities: 0 if equal, 1 without overlap.

    Both are normalised over their common range, up to the smaller Nyquist frequency. With areas of one this is the
    measure of :func:`~aiida_ion.analysis.comparison.radial_distribution.rdf_distance`, which Schran et al. (PNAS 118,
    e2110077118 (2021)) use for vibrational densities as well.
    """
    frequency = common_frequencies([reference, density])
    gap = np.abs(on_frequencies(density, frequency) - on_frequencies(reference, frequency))
    return float(integrate.trapezoid(gap, frequency)) / 2.0


def _spectrum(
    run: npt.NDArray[np.floating], masses: npt.NDArray[np.floating], interval_fs: float, window: int
) -> FloatArray:
    """Power of one run summed over atoms and directions, (window // 2 + 1,)."""
    total = np.zeros(window // 2 + 1)
    for low in range(0, run.shape[1], CHUNK_ATOMS):
        part = np.asarray(run[:, low : low + CHUNK_ATOMS], dtype=float)
        power = signal.welch(part, fs=THZ_PER_INVERSE_FS / interval_fs, nperseg=window, detrend=False, axis=0)[1]
        total += np.einsum("fax,a->f", power, np.asarray(masses, dtype=float)[low : low + CHUNK_ATOMS])
    return total
