"""The only module that calls kinisi, with guards against its known pitfalls.

kinisi and scipp are imported where they are called: they load pandas, statsmodels and BeautifulSoup, for which neither
a command nor a crystal without diffusion should wait.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.diffusion.msd_covariance import slope_weights, straight_line
from aiida_ion.units import CM2_S_PER_A2_FS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Frame intervals are rounded to this many binary digits of a fs, so that every lag is exact in floating point.
INTERVAL_BITS = 20
#: Variance of the squared length of a Gaussian vector in three dimensions over its squared mean.
GAUSSIAN_SPREAD = 2.0 / 3.0
#: Largest intercept of the line that gives the variances, divided by its slope, in units of the first lag.
MAX_SHIFT = 0.5
#: Steps of the 32 Markov chains, which give the mean to some 6 % of its error, and burn-in steps: kinisi starts the
#: intercept at 1e-20, which 200 steps do not leave (D would be a tenth too large).
N_STEPS = 250
N_BURN = 500


@dataclass(frozen=True)
class KinisiFit:
    """Posterior of a diffusivity.

    :param samples_cm2_s: draws of D, cm^2/s, all positive, (n,); their mean is used.
    :param msd_A2: mean squared displacement at each lag of the fit, angstrom^2.
    :param msd_std_A2: its standard deviation, angstrom^2.
    :param weights: w such that w @ msd_A2 is the slope, for each frame, of least squares with kinisi's covariance.
    :param variance_scale: factor applied to kinisi's variances.
    :param messages: warnings of the fit.
    """

    samples_cm2_s: FloatArray
    msd_A2: FloatArray
    msd_std_A2: FloatArray
    weights: FloatArray
    variance_scale: float
    messages: tuple[str, ...]


def exact_interval_fs(interval_fs: float) -> float:
    """Round to a multiple of 2^-20 fs: products with frame numbers, and their quotients, are then exact.

    :raises ValueError: for a zero interval.
    """
    rounded = float(np.rint(interval_fs * 2**INTERVAL_BITS) / 2**INTERVAL_BITS)
    if not rounded > 0:
        raise ValueError(f"the interval between frames must be positive, got {interval_fs!r} fs")
    return rounded


def check_lag_indices(parser: Any, lags: IntArray) -> None:
    """Refuse a kinisi parser that looks up the wrong lags.

    kinisi 2.1 truncates dt / (time_step * step_skip) to an integer: 0.3 ps / 0.1 ps becomes 2 frames, two
    lags get the same displacement, and D comes out a fifth too small with a narrow posterior.

    :param parser: a ``kinisi.parser.Parser``.
    :param lags: the intended lags, frames.
    :raises RuntimeError: when they differ.
    """
    indices = np.asarray(parser.dt_index.values)
    if not np.array_equal(indices, lags):
        wrong = int(np.sum(indices != lags)) if indices.shape == np.shape(lags) else len(lags)
        raise RuntimeError(f"kinisi mislabels {wrong} of {len(lags)} lags by rounding; the fit would be wrong")


def make_parser(positions: FloatArray, lags: IntArray, interval_fs: float) -> Any:
    """Pass kinisi unwrapped, drift-free positions in a cubic box so large that nothing is ever wrapped.

    So all cell shapes work in the same way, without kinisi's memory for triclinic cells (8 images of every atom).

    :param positions: angstrom, (n, M, 3).
    :param lags: frames.
    :param interval_fs: time between frames, fs, from :func:`exact_interval_fs`.
    """
    import scipp as sc
    from kinisi.parser import Parser

    positions = positions - positions[0]
    box = 4.0 * float(np.abs(positions).max()) + 10.0
    cells = np.broadcast_to(np.eye(3) * box, (len(positions), 3, 3))
    parser = Parser(
        coords=sc.array(dims=["time", "particle", "dimension"], values=positions / box),
        latt=sc.array(dims=["time", "dimension1", "dimension2"], values=cells, unit=sc.units.angstrom),
        time_step=sc.scalar(interval_fs, unit="fs"),
        step_skip=sc.scalar(1),
        dt=sc.array(dims=["time interval"], values=lags * interval_fs, unit="fs"),
        specie_indices=sc.array(dims=["particle"], values=np.arange(positions.shape[1])),
        drift_indices=sc.array(dims=["particle"], values=np.array([], dtype=np.int64)),
    )
    check_lag_indices(parser, lags)
    return parser


def fit_diffusivity(positions: FloatArray, lags: IntArray, interval_fs: float, seed: int) -> KinisiFit:
    """Fit D with kinisi's Bayesian regression (McCluskey, Coles and Morgan, JCTC 21, 79 (2025)).

    kinisi's regression and covariance model are used; the variances it starts from are first smoothed and rescaled, see
    :func:`smooth_variances` and :func:`variance_scale`.

    :param positions: unwrapped, drift-free positions, angstrom, (n, M, 3); replicas concatenated along M.
    :param lags: frames, increasing; the fit uses all of them.
    :param interval_fs: time between frames, fs.
    :param seed: of the Markov chain; the state of numpy's global generator is restored.
    """
    import scipp as sc
    from kinisi.diffusion import Diffusion
    from kinisi.displacement import calculate_msd

    interval_fs = exact_interval_fs(interval_fs)
    scale = variance_scale(lags, len(positions))
    with _quiet() as caught, _own_random_state():
        data = calculate_msd(make_parser(positions, lags, interval_fs), progress=False)
        data["da"].variances = smooth_variances(data["da"], lags) * scale
        fit = Diffusion(data)
        start = sc.scalar(float(lags[0] * interval_fs), unit="fs")
        state = np.random.RandomState(seed)
        fit.bayesian_regression(start, n_samples=N_STEPS, n_burn=N_BURN, n_thin=1, progress=False, random_state=state)
    draws = np.asarray(fit.gradient.values, dtype=float) / 6.0 * CM2_S_PER_A2_FS
    messages = tuple(sorted({str(item.message) for item in caught}))
    msd, variances = data["da"].values.copy(), data["da"].variances.copy()
    weights = slope_weights(kinisi_covariance(variances, data["da"].coords["n_samples"].values), lags[: len(msd)])
    return KinisiFit(draws, msd, np.sqrt(variances), weights, scale, messages)


def kinisi_covariance(variances: FloatArray, windows: FloatArray) -> FloatArray:
    """kinisi's covariance of the MSD, Sigma_ij = v_i n_i / n_j for t_i <= t_j, angstrom^4, (n, n)."""
    upper = np.triu(variances[:, None] * windows[:, None] / windows[None, :])
    whole: FloatArray = upper + np.triu(upper, 1).T
    return whole


def variance_scale(lags: IntArray, n_frames: int) -> float:
    """Correction factor of kinisi's variances of the MSD.

    kinisi counts N t_last / t independent windows: it uses the last lag of the fit as the length T of the trajectory,
    which is too few by f = t_last / T. And overlapping windows carry more information than independent ones: for lags
    below T / 2 the variance is 2/3 / (1 - t / T) of theirs (Qian, Sheetz and Elson, Biophys J 60, 910 (1991)),
    evaluated here at the middle of the window.
    """
    length = n_frames - 1
    middle = 0.5 * float(lags[0] + lags[-1]) / length
    return float(lags[-1]) / length * (2.0 / 3.0) / (1.0 - middle)


def smooth_variances(data: Any, lags: IntArray) -> FloatArray:
    """Variances of the MSD without the noise of single lags, angstrom^4, (n,).

    kinisi estimates the variance of each lag from the data. It follows the noise of the MSD itself, which pulls D down
    (low values get high weights), and sometimes makes the covariance matrix indefinite: D may then be wrong by orders
    of magnitude. Here the variance is spread MSD^2 / n_windows. The spread is the same for all lags: the mean over the
    data, but at least 2/3, that of Gaussian displacements in three dimensions (few ions underestimate it). The MSD is a
    straight line whose intercept, from vibration, is kept below the slope times the first lag: with kinisi's covariance
    v_i n_i / n_j the matrix is positive definite only while MSD^2 / t grows.

    :param data: kinisi's MSD: values, variances, and the coordinate ``n_samples``.
    :param lags: frames; kinisi leaves the last one out for a single particle.
    """
    msd, windows = np.asarray(data.values), np.asarray(data.coords["n_samples"].values)
    spread = max(float(np.mean(np.asarray(data.variances) * windows / msd**2)), GAUSSIAN_SPREAD)
    times = lags[: len(msd)].astype(float)
    slope, intercept = straight_line(times, msd)
    shift = min(intercept / slope, MAX_SHIFT * times[0]) if slope > 0 else 0.0
    line = (times + shift) * msd.mean() / (times + shift).mean()
    smooth: FloatArray = spread * line**2 / windows
    return smooth


@contextmanager
def _own_random_state() -> Iterator[None]:
    """Restore the state of numpy's global generator, which kinisi seeds."""
    state = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(state)


@contextmanager
def _quiet() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught
