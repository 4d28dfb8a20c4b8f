"""Invariants of a material from its configurations: stiffness, anharmonicity, range of motion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from aiida_ion.surrogate.dataset import DISPLACED, SHORT_MD, Dataset, FloatArray
from aiida_ion.surrogate.features import without_drift
from aiida_ion.units import FS_PER_PS

BoolArray = npt.NDArray[np.bool_]
#: Lags of the motion, as fractions of the short run.
LAG_PARTS = (0.02, 0.05, 0.12, 0.25, 0.5, 1.0)
#: Correlation times of force and displacement, as fractions of the short run.
CORRELATION_PARTS = (0.02, 0.05, 0.12, 0.25)
#: An ion displaced by more than this has left its site, angstrom.
HOP_A = 1.5
QUANTILES = (0.05, 0.25, 0.5)
_TINY = 1e-12


def material_invariants(dataset: Dataset, material: int, groups: tuple[str, ...]) -> FloatArray:
    """Return the invariants of the groups for one material, (n,); NaN where the dataset lacks the data."""
    parts = [_GROUPS[group](dataset, material) for group in groups]
    return np.concatenate(parts) if parts else np.zeros(0)


def _mobile(dataset: Dataset, material: int) -> BoolArray:
    flags: BoolArray = dataset["mobile"][dataset.atoms(material)].astype(bool)
    return flags


def _log(value: FloatArray | float) -> FloatArray:
    logarithms: FloatArray = np.log10(np.maximum(np.asarray(value, dtype=float), _TINY))
    return logarithms


def _rms(vectors: FloatArray) -> float:
    """Return the root mean square length of vectors (..., 3), NaN if there are none."""
    return float(np.sqrt((vectors**2).sum(axis=-1).mean())) if vectors.size else np.nan


def _amplitudes(dataset: Dataset, material: int) -> list[float]:
    amplitudes = dataset["amplitude_A"][dataset.configurations(material, DISPLACED)]
    return sorted({round(float(amplitude), 6) for amplitude in amplitudes})


def _forces(dataset: Dataset, material: int) -> FloatArray:
    """Return RMS accelerations of mobile and other ions at the smallest and largest amplitude and in the short MD."""
    mobile = _mobile(dataset, material)
    amplitudes = _amplitudes(dataset, material)
    sets = [
        dataset.configurations(material, DISPLACED, [amplitude]) for amplitude in (amplitudes[:1] + amplitudes[-1:])
    ]
    sets = (sets or [np.zeros(0, dtype=np.int64)] * 2) + [dataset.configurations(material, SHORT_MD)]
    values = []
    for chosen in sets:
        accelerations = dataset.accelerations(chosen)
        empty = len(accelerations) == 0
        values += [np.nan if empty else _rms(accelerations[:, which]) for which in (mobile, ~mobile)]
    return _log(np.array(values))


def _curvature(dataset: Dataset, material: int) -> FloatArray:
    """Return force constants over masses of the mobile ions: mean, spread and low quantiles, and the framework's mean.

    For random displacements u, the mean of -a.u/u^2 is a third of the trace of the atom's block of the Hessian over its
    mass: a finite difference along a vector.
    """
    amplitudes = _amplitudes(dataset, material)
    if not amplitudes:
        return np.full(3 + len(QUANTILES), np.nan)
    constants = _force_constants(dataset, material, amplitudes[0])
    mobile = _mobile(dataset, material)
    own = constants[mobile]
    other = constants[~mobile].mean() if (~mobile).any() else np.nan
    values = [own.mean(), own.std(), *np.quantile(own, QUANTILES), other]
    return np.arcsinh(np.array(values) / 1e-2)


def _force_constants(dataset: Dataset, material: int, amplitude_A: float) -> FloatArray:
    """Return -<a.u>/<u.u> of each atom over the configurations displaced by an amplitude, (N,), eV/(angstrom^2 amu)."""
    chosen = dataset.configurations(material, DISPLACED, [amplitude_A])
    moved = dataset.positions(chosen) - dataset["reference_positions_A"][dataset.atoms(material)]
    along = (dataset.accelerations(chosen) * moved).sum(axis=(0, 2))
    return np.asarray(-along / np.maximum((moved**2).sum(axis=(0, 2)), _TINY))


def _anharmonicity(dataset: Dataset, material: int) -> FloatArray:
    """Return the change of force constant and force per displacement from the smallest to the largest amplitude."""
    amplitudes = _amplitudes(dataset, material)
    if len(amplitudes) < 2:
        return np.full(3, np.nan)
    mobile = _mobile(dataset, material)
    ends = (amplitudes[0], amplitudes[-1])
    constants = [_force_constants(dataset, material, end)[mobile].mean() for end in ends]
    sizes = [_rms(dataset.accelerations(dataset.configurations(material, DISPLACED, [a]))[:, mobile]) / a for a in ends]
    softened = (constants[1] - constants[0]) / (abs(constants[0]) + _TINY)
    return np.array([np.arcsinh(softened), float(_log(sizes[1] / (sizes[0] + _TINY))), np.arcsinh(constants[1] / 1e-2)])


def _short_run(dataset: Dataset, material: int) -> tuple[FloatArray, FloatArray, BoolArray] | None:
    """Return positions without drift (n, N, 3), accelerations (n, N, 3) and the mobile flags, or None."""
    frames = dataset.configurations(material, SHORT_MD)
    if len(frames) < 3:
        return None
    mobile = _mobile(dataset, material)
    positions = dataset.positions(frames)
    return without_drift(positions - positions[0], mobile), dataset.accelerations(frames), mobile


def _short_md(dataset: Dataset, material: int) -> FloatArray:
    """Return the MSD of mobile ions at several lags, the framework's at the last, and the fraction of ions hopped."""
    run = _short_run(dataset, material)
    if run is None:
        return np.full(len(LAG_PARTS) + 3, np.nan)
    positions, _, mobile = run
    msd = [_msd(positions[:, mobile], lag) for lag in _lags(len(positions), LAG_PARTS)]
    last = _lags(len(positions), (1.0,))[0]
    other = _msd(positions[:, ~mobile], last) if (~mobile).any() else np.nan
    far = np.linalg.norm(positions[-1, mobile], axis=-1)
    return np.array([*_log(np.array(msd)), float(_log(other)), float((far > HOP_A).mean()), float(far.max())])


def _correlations(dataset: Dataset, material: int) -> FloatArray:
    """Return the correlation of the force on a mobile ion with its displacement, at several lags.

    It is -1 for a bound ion and 0 for a free one. Also return how fast the direction of the force decorrelates.
    """
    run = _short_run(dataset, material)
    if run is None:
        return np.full(2 * len(CORRELATION_PARTS), np.nan)
    positions, accelerations, mobile = run
    moved, pulled = positions[:, mobile], accelerations[:, mobile]
    values = []
    for lag in _lags(len(positions), CORRELATION_PARTS):
        since = moved[lag:] - moved[:-lag]
        values += [_cosine(since, pulled[lag:]), _cosine(pulled[:-lag], pulled[lag:])]
    return np.array(values)


def _structure(dataset: Dataset, material: int) -> FloatArray:
    """Return density of atoms and of mobile ions, angstrom^-3 (log10), and the fraction of mobile ions."""
    mobile = _mobile(dataset, material)
    volume = abs(float(np.linalg.det(dataset["cells_A"][material])))
    return np.array(
        [float(_log(len(mobile) / volume)), float(_log(max(mobile.sum(), 1) / volume)), float(mobile.mean())]
    )


def short_msd(dataset: Dataset, material: int, n_frames: int | None = None) -> tuple[float, float] | None:
    """Return the duration, ps, of the short MD and the MSD of the mobile ions at its end, angstrom^2.

    :param n_frames: number of frames used, from its start.
    """
    run = _short_run(dataset, material)
    if run is None:
        return None
    times = dataset["time_fs"][dataset.configurations(material, SHORT_MD)]
    last = min(n_frames or len(times), len(times)) - 1
    half = max(last // 2, 1)
    return float(times[half] - times[0]) / FS_PER_PS, _msd(run[0][: last + 1, run[2]], half)


def _lags(n_frames: int, parts: tuple[float, ...]) -> list[int]:
    return [min(max(1, round(part * (n_frames - 1))), n_frames - 1) for part in parts]


def _msd(positions: FloatArray, lag: int) -> float:
    return float(((positions[lag:] - positions[:-lag]) ** 2).sum(axis=-1).mean())


def _cosine(first: FloatArray, second: FloatArray) -> float:
    sizes = float((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / np.sqrt(sizes)) if sizes > 0 else 0.0


_GROUPS: dict[str, Callable[[Dataset, int], FloatArray]] = {
    "forces": _forces,
    "curvature": _curvature,
    "anharmonicity": _anharmonicity,
    "short_md": _short_md,
    "correlations": _correlations,
    "structure": _structure,
}
