"""The one place that talks to kinisi, and keeps it on the safe side of its known traps."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipp as sc
from kinisi.diffusion import Diffusion
from kinisi.displacement import calculate_msd
from kinisi.parser import Parser

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: 1 angstrom^2/fs in cm^2/s.
CM2_S_PER_A2_FS = 0.1
#: Frame intervals are rounded to this many binary digits of a fs, so that every lag is exact in floating point.
INTERVAL_BITS = 20
#: Overlapping windows carry 3/2 of the information of the independent ones that kinisi counts
#: (Qian, Sheetz and Elson, Biophys J 60, 910 (1991), for lags short against the trajectory).
OVERLAP = 2.0 / 3.0


@dataclass(frozen=True)
class KinisiFit:
    """Posterior of a diffusivity.

    :param samples_cm2_s: draws of D, cm^2/s, all positive, (n,).
    :param msd_A2: mean squared displacement at each lag of the fit, angstrom^2.
    :param msd_std_A2: its standard deviation, angstrom^2.
    :param variance_scale: what kinisi's variances were multiplied with.
    :param messages: warnings of the fit.
    """

    samples_cm2_s: FloatArray
    msd_A2: FloatArray
    msd_std_A2: FloatArray
    variance_scale: float
    messages: tuple[str, ...]


def exact_interval_fs(interval_fs: float) -> float:
    """Round to a multiple of 2^-20 fs: products with frame numbers, and their quotients, are then exact.

    :raises ValueError: for an interval that vanishes.
    """
    rounded = float(np.rint(interval_fs * 2**INTERVAL_BITS) / 2**INTERVAL_BITS)
    if not rounded > 0:
        raise ValueError(f"the interval between frames must be positive, got {interval_fs!r} fs")
    return rounded


def check_lag_indices(parser: Any, lags: IntArray) -> None:
    """Refuse a kinisi parser that looks up other lags than it was asked for.

    kinisi 2.1 truncates dt / (time_step * step_skip) to an integer: 0.3 ps / 0.1 ps becomes 2 frames, two lags get the
    same displacement, and D comes out a fifth too small with a narrow posterior.

    :param parser: a ``kinisi.parser.Parser``.
    :param lags: the lags meant, frames.
    :raises RuntimeError: when they differ.
    """
    found = np.asarray(parser.dt_index.values)
    if not np.array_equal(found, lags):
        wrong = int(np.sum(found != lags)) if found.shape == np.shape(lags) else len(lags)
        raise RuntimeError(f"kinisi mislabels {wrong} of {len(lags)} lags by rounding; the fit would be wrong")


def make_parser(positions: FloatArray, lags: IntArray, interval_fs: float) -> Any:
    """Give kinisi unwrapped, drift-free positions in a cubic box so large that nothing is ever wrapped.

    So any cell shape works alike, and kinisi's memory for triclinic cells (8 images of every atom) is not needed.

    :param positions: angstrom, (n, M, 3).
    :param lags: frames.
    :param interval_fs: time between frames, fs, from :func:`exact_interval_fs`.
    """
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


def fit_diffusivity(
    positions: FloatArray, lags: IntArray, interval_fs: float, seed: int, n_samples: int = 1000
) -> KinisiFit:
    """Fit D with kinisi's Bayesian regression (McCluskey, Coles and Morgan, JCTC 21, 79 (2025)).

    kinisi counts independent windows as if the trajectory ended at the last lag of the fit, and as if overlapping windows
    added nothing. Both make its variances too large, by 1/f (f = last lag / length of the trajectory) and by 3/2; the
    variances are multiplied by f * 2/3 before sampling, so the posterior keeps its shape and stays positive.

    :param positions: unwrapped, drift-free positions, angstrom, (n, M, 3); replicas side by side along M.
    :param lags: frames, increasing; the fit uses all of them.
    :param interval_fs: time between frames, fs.
    :param seed: of the Markov chain; numpy's global generator is left as it was.
    :param n_samples: draws to return.
    """
    interval_fs = exact_interval_fs(interval_fs)
    scale = OVERLAP * float(lags[-1]) / (len(positions) - 1)
    with _quiet() as caught, _own_random_state():
        data = calculate_msd(make_parser(positions, lags, interval_fs), progress=False)
        data["da"].variances = data["da"].variances * scale
        fit = Diffusion(data)
        start = sc.scalar(float(lags[0] * interval_fs), unit="fs")
        fit.bayesian_regression(start_dt=start, progress=False, random_state=np.random.RandomState(seed))
    draws = np.asarray(fit.gradient.values, dtype=float) / 6.0 * CM2_S_PER_A2_FS
    chosen = np.random.default_rng(seed).choice(draws, n_samples, replace=len(draws) < n_samples)
    messages = tuple(sorted({str(item.message) for item in caught}))
    return KinisiFit(chosen, data["da"].values.copy(), np.sqrt(data["da"].variances), scale, messages)


@contextmanager
def _own_random_state() -> Iterator[None]:
    """Keep numpy's global generator, which kinisi seeds, as the caller left it."""
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
