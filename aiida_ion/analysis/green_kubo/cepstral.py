"""The zero-frequency value of a power spectrum, by cepstral analysis of the logarithm of its periodogram."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.special import digamma, polygamma

from aiida_ion.units import FS_PER_PS

FloatArray = npt.NDArray[np.float64]

#: Fewest coefficients: noise may hide the curvature of a spectrum that looks flat.
MIN_COEFFICIENTS = 3
#: Most coefficients, as a fraction of the frequencies.
MAX_COEFFICIENT_FRACTION = 0.5


class Periodogram(NamedTuple):
    """Two-sided power spectral density of a vector, at the frequencies that its length resolves.

    :param frequencies_THz: shape (m,), from zero to the Nyquist frequency.
    :param power: mean over independent records, shape (m, 3): the square of the vector's unit times fs.
    :param n_records: number of records averaged.
    """

    frequencies_THz: FloatArray
    power: FloatArray
    n_records: int


class ZeroFrequency(NamedTuple):
    """Estimate of ln S(0).

    :param log_power: ln S(0), S in the unit of the periodogram.
    :param variance: its variance, including that from the choice of the number of coefficients.
    :param n_coefficients: mean number of cepstral coefficients.
    """

    log_power: float
    variance: float
    n_coefficients: float


def periodogram(records: list[FloatArray], interval_fs: float) -> Periodogram:
    """Mean of ``I(f) = dt/n |sum_j x_j e^(-2 pi i f t_j)|^2`` over records (n, 3), cut to the shortest.

    Nothing is subtracted: the true mean of an equilibrium current is zero, and its square is the value at f = 0.
    """
    n_steps = min(len(record) for record in records)
    power = np.zeros((n_steps // 2 + 1, 3))
    for record in records:
        for axis in range(3):
            power[:, axis] += np.abs(fft.rfft(np.asarray(record[:n_steps, axis], dtype=float))) ** 2
    power *= interval_fs / n_steps / len(records)
    frequencies: FloatArray = fft.rfftfreq(n_steps, interval_fs / FS_PER_PS)
    return Periodogram(frequencies, power, len(records))


def expected_error(n_points: int, n_components: float) -> float:
    """Standard error of ln S(0) with the fewest coefficients: the best that the length of the record allows.

    :param n_points: number of frequencies from zero to the cutoff.
    """
    return float(np.sqrt(polygamma(1, n_components) * (4 * MIN_COEFFICIENTS - 2) / (2 * (n_points - 1))))


def log_power_at_zero(power: FloatArray, n_components: float) -> ZeroFrequency:
    """Cepstral estimate of ln S(0) (Ercole, Marcolongo, Baroni, Sci. Rep. 7, 15835 (2017)).

    The logarithm of a periodogram averaged over l components is ln S(f) plus white noise of mean psi(l) - ln l and
    variance psi'(l). Cutting its Fourier series after P coefficients leaves

        ln S(0) = C_0 + 2 sum_{n=1}^{P-1} C_n,    variance psi'(l) (4 P - 2) / N,    N = 2 (m - 1)

    Instead of the single P that minimises AIC(P) = sum_{n >= P} C_n^2 / var(C_n) + 2 P, all are averaged with weights
    exp(-AIC/2), and the variance of that average is used (Burnham and Anderson): the choice of P is uncertain too.

    :param power: averaged periodogram from f = 0 to the cutoff, shape (m,); the cutoff acts as Nyquist frequency.
    :param n_components: number of independent periodograms averaged, l.
    :raises ValueError: for fewer points than coefficients, or a power that is not positive.
    """
    n_points = len(power)
    most = int(MAX_COEFFICIENT_FRACTION * n_points)
    if most < MIN_COEFFICIENTS:
        raise ValueError(f"{n_points} frequencies are too few for a cepstrum")
    if not np.all(power > 0):
        raise ValueError("a periodogram must be positive")
    size = 2 * (n_points - 1)
    logs = np.log(power) - (digamma(n_components) - np.log(n_components))
    # At f = 0 the transform is real: half the degrees of freedom.
    logs[0] = np.log(power[0]) - (digamma(n_components / 2) - np.log(n_components / 2))
    coefficients = fft.dct(logs, type=1) / size
    noise = float(polygamma(1, n_components))
    variances = np.full(n_points, noise / size)
    variances[[0, -1]] *= 2.0
    left_out = np.cumsum((coefficients**2 / variances)[::-1])[::-1]
    numbers = np.arange(MIN_COEFFICIENTS, most + 1)
    estimates = (coefficients[0] + 2.0 * np.cumsum(np.concatenate([[0.0], coefficients[1:]])))[numbers - 1]
    criterion = left_out[numbers] + 2.0 * numbers
    weights = np.exp(-0.5 * (criterion - criterion.min()))
    weights /= weights.sum()
    mean = float(weights @ estimates)
    variance = float(weights @ (noise * (4.0 * numbers - 2.0) / size + (estimates - mean) ** 2))
    return ZeroFrequency(mean, variance, float(weights @ numbers))
