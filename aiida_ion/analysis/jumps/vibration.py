"""Frequency and amplitude of the vibration of ions about their sites between jumps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aiida_ion.units import THZ_PER_INVERSE_FS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Lengths of the blocks of a stay for spectra, fs; the second is used if no stay is as long as the first.
WINDOWS_FS = (1000.0, 500.0)
#: Largest frame interval that resolves vibrations up to 20 THz without aliasing, fs.
MAX_INTERVAL_FS = 25.0
MIN_WINDOW_FRAMES = 16


class Vibration(NamedTuple):
    """Vibration of ions between jumps.

    :param attempt_frequency_THz: mean frequency of the velocity spectrum, THz; ``None`` if frames are too sparse.
    :param amplitude_A: root mean square displacement along one direction, angstrom; ``None`` if no ion stays.
    :param n_windows: number of blocks averaged.
    """

    attempt_frequency_THz: float | None
    amplitude_A: float | None
    n_windows: int


def vibration_between_jumps(positions: FloatArray, sites: IntArray, interval_fs: float) -> Vibration:
    """Measure vibration in blocks of :data:`WINDOWS_FS` that lie entirely between two jumps.

    The velocity spectrum is that of the positions times (2 pi f)^2, with a Hann window; its mean frequency is the
    attempt frequency of de Klerk, van der Maas and Wagemaker (ACS Appl. Energy Mater. 1, 3230 (2018)), evaluated along
    x, y and z instead of along the distance from the first position, and without jumps.

    :param positions: unwrapped, angstrom, (n, M, 3).
    :param sites: stay of each ion, (n, M): a number that changes with every jump, -1 before the first.
    """
    for length_fs in WINDOWS_FS:
        window = max(MIN_WINDOW_FRAMES, round(length_fs / interval_fs))
        blocks = [_block(positions, sites, low, window) for low in range(0, len(positions) - window + 1, window)]
        if sum(block.shape[1] for block in blocks) > 0:
            break
    else:
        return Vibration(None, None, 0)
    stays = np.concatenate(blocks, axis=1)
    stays = stays - stays.mean(axis=0)
    amplitude = float(np.sqrt((stays**2).mean()))
    frequency = _mean_frequency(stays, interval_fs) if interval_fs <= MAX_INTERVAL_FS else None
    return Vibration(frequency, amplitude, int(stays.shape[1]))


def _block(positions: FloatArray, sites: IntArray, low: int, window: int) -> FloatArray:
    """Positions of the ions that stay throughout a window, (window, m, 3)."""
    stay = sites[low : low + window]
    chosen = (stay == stay[0]).all(axis=0) & (stay[0] >= 0)
    block: FloatArray = positions[low : low + window, chosen]
    return block


def _mean_frequency(stays: FloatArray, interval_fs: float) -> float | None:
    shape = np.hanning(len(stays) + 1)[:-1, None, None]
    frequency = np.fft.rfftfreq(len(stays), interval_fs / THZ_PER_INVERSE_FS)
    power = (np.abs(np.fft.rfft(stays * shape, axis=0)) ** 2).sum(axis=(1, 2)) * frequency**2
    total = float(power.sum())
    return float((power * frequency).sum() / total) if total > 0 else None
