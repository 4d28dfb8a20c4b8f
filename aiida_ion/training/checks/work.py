"""Whether energies and forces belong together: the work of the forces is what the energy loses.

Between neighbouring frames dE = -1/2 (F_i + F_(i+1)) . (x_(i+1) - x_i), the trapezoidal rule, which is exact where the
energy is quadratic. Frames further apart say it less exactly, and the virial theorem, for atoms that stay bound to
their places, says sign and unit of forces from any frames: -<F . (x - <x>)> = 3 k T for each atom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import units
from numpy.typing import NDArray

from aiida_ion.training.correlation import APART_FS, force_autocorrelation
from aiida_ion.training.runs import LabelledRun
from aiida_ion.units import BOLTZMANN_EV_K

#: Frames whose forces keep this much of their correlation are close enough for the exact test; and its tolerance.
CLOSE, TOLERANCE = 0.7, 0.05
#: Where dE and work correlate this much, they are proportional, though the frames are too far apart for the exact test.
COARSE, COARSE_TOLERANCE = 0.9, 0.4
#: Factor by which the virial may differ from 3 k T for each atom.
VIRIAL_FACTOR = 3.0
#: Fewest pairs of frames, or frames of the virial, and most pairs that are looked at.
FEWEST_PAIRS, FEWEST_FRAMES, MOST_PAIRS = 8, 20, 2000
#: A cell that changes by more than this, relative, does work itself.
FIXED_CELL = 1e-6
#: A spacing of frames beyond this multiple of the usual one is a gap.
GAP = 1.5


@dataclass(frozen=True)
class WorkCheck:
    """Result of the test of one run.

    :param method: ``work``, ``coarse work``, ``virial`` or ``none``.
    :param value: the energy change over the work, or the virial over 3 k T for each atom: 1 where all is well.
    :param error: standard error of the value.
    :param fault: sentence where energies and forces do not belong together.
    :param remark: sentence where the exact test was not possible.
    """

    method: str
    value: float | None = None
    error: float | None = None
    fault: str | None = None
    remark: str | None = None


def check_work(run: LabelledRun) -> WorkCheck:
    """Test whether the energies and forces of a run belong together, as exactly as its frames allow."""
    if run.picked:
        return WorkCheck("none", remark=f"{run.name}: its frames were picked: energies were not tested against forces.")
    pairs = _pairs(run)
    fixed = float(np.ptp(run.cells, axis=0).max()) <= FIXED_CELL * float(np.abs(run.cells).max())
    if fixed and len(pairs) >= FEWEST_PAIRS:
        slope, error, correlation = _slope(run, pairs)
        if force_autocorrelation(run.forces[: MOST_PAIRS + 1], 1) >= CLOSE:
            far = abs(slope - 1.0) > TOLERANCE + 2.0 * error
            return WorkCheck("work", slope, error, _fault(run, slope, error) if far else None)
        if abs(correlation) >= COARSE:
            far = not 1.0 - COARSE_TOLERANCE < slope < 1.0 + COARSE_TOLERANCE
            text = f"{run.name}: its frames are too far apart to test energies against forces to {TOLERANCE:.0%}"
            remark = f"{text}; roughly, the energy changes by {slope:.2f} times the work of the forces."
            return WorkCheck("coarse work", slope, error, _fault(run, slope, error) if far else None, remark)
    if len(run) > 1 and float(np.median(np.diff(run.times_fs))) >= APART_FS:
        return WorkCheck("none", remark=f"{run.name}: energies were not tested against forces: its frames stand alone.")
    return _by_virial(run, "its cell changes" if not fixed else "its frames are too few or too far apart")


def _pairs(run: LabelledRun) -> NDArray[np.int64]:
    """Return the first frame of each pair of neighbours that is used."""
    if len(run) < 2:
        return np.zeros(0, dtype=np.int64)
    spacings = np.diff(run.times_fs)
    usual = float(np.median(spacings))
    if usual >= APART_FS:
        return np.zeros(0, dtype=np.int64)
    pairs = np.flatnonzero((spacings > 0) & (spacings <= GAP * usual))
    return (
        pairs[np.unique(np.linspace(0, len(pairs) - 1, MOST_PAIRS).astype(int))] if len(pairs) > MOST_PAIRS else pairs
    )


def _slope(run: LabelledRun, pairs: NDArray[np.int64]) -> tuple[float, float, float]:
    """Return the slope of the energy change against the work, its standard error, and their correlation."""
    work = np.array([_work(run, first) for first in pairs])
    change = run.energies_eV[pairs + 1] - run.energies_eV[pairs]
    square = float((work**2).sum())
    if square == 0:
        return 0.0, np.inf, 0.0
    slope = float((work * change).sum()) / square
    error = float(np.sqrt(((change - slope * work) ** 2).sum() / (len(pairs) - 1) / square))
    scale = float(np.sqrt(square * (change**2).sum()))
    return slope, error, float((work * change).sum()) / scale if scale else 0.0


def _work(run: LabelledRun, first: int) -> float:
    """Return the energy that the forces take between two frames, eV."""
    moved = run.positions[first + 1].astype(np.float64) - run.positions[first].astype(np.float64)
    # An atom that a file wrote through the face of the cell has not moved by a cell vector.
    moved -= np.round(moved @ np.linalg.inv(run.cells[first])) @ run.cells[first]
    mean = 0.5 * (run.forces[first].astype(np.float64) + run.forces[first + 1].astype(np.float64))
    return -float((mean * moved).sum())


def _fault(run: LabelledRun, slope: float, error: float) -> str:
    return (
        f"{run.name}: energies and forces do not belong together: between neighbouring frames the energy changes by "
        f"{slope:.4g} +- {error:.1g} times the work of the forces, where 1 is right and {TOLERANCE:.0%} off is allowed"
        f"{_guess(slope, run)}. Take the energy that the forces are the gradient of: of VASP the free energy (TOTEN), "
        "without corrections"
    )


def _guess(slope: float, run: LabelledRun) -> str:
    """Return the end of a clause on a known mistake that makes such a slope."""
    known = {
        "the forces look like Ry/bohr": units.Ry / units.Bohr,
        "the forces look like hartree/bohr": units.Hartree / units.Bohr,
        "the energies look like Ry": 1.0 / units.Ry,
        "the energies look like hartree": 1.0 / units.Hartree,
        "the energies look like those of one atom": 1.0 / len(run.symbols),
        "the energies look like kcal/mol": units.mol / units.kcal,
        "the forces look like kcal/mol/angstrom": units.kcal / units.mol,
    }
    if abs(abs(slope) - 1.0) < COARSE_TOLERANCE and slope < 0:
        return ": the forces have the wrong sign"
    for text, factor in known.items():
        if abs(abs(slope) / factor - 1.0) < 0.1:
            return f": {text}{' of the wrong sign' if slope < 0 else ''}"
    return ""


def _by_virial(run: LabelledRun, why: str) -> WorkCheck:
    """Test sign and unit of the forces by the virial theorem, where the temperature is known."""
    text = f"{run.name}: energies were not tested against forces, since {why}"
    if run.temperature_K is None or len(run) < FEWEST_FRAMES:
        return WorkCheck("none", remark=f"{text}.")
    ratio = float(np.median(list(virial_ratios(run.positions, run.forces, run.symbols, run.temperature_K).values())))
    given = f"{ratio:.3g} times what {run.temperature_K:g} K give"
    remark = f"{text}; the virial of the forces is {given}, so that their sign and unit are right."
    fault = None
    if not 1.0 / VIRIAL_FACTOR < ratio < VIRIAL_FACTOR:
        fault = (
            f"{run.name}: the virial of its forces is {given}: their unit or sign is wrong (eV/angstrom, towards lower "
            "energy), or the temperature"
        )
    return WorkCheck("virial", ratio, None, fault, None if fault else remark)


def virial_ratios(
    positions: NDArray[Any], forces: NDArray[Any], symbols: tuple[str, ...], temperature_K: float
) -> dict[str, float]:
    """Return -<F . (x - <x>)> / 3 k T of the atoms of each element: 1 where they vibrate about their places.

    :param positions: shape (n, N, 3), angstrom, unwrapped.
    :param forces: shape (n, N, 3), eV/angstrom.
    """
    places = np.asarray(positions, dtype=np.float64)
    products = -(np.asarray(forces, dtype=np.float64) * (places - places.mean(axis=0))).sum(axis=2).mean(axis=0)
    elements = np.array(symbols)
    return {
        str(name): float(products[elements == name].mean()) / (3.0 * BOLTZMANN_EV_K * temperature_K)
        for name in np.unique(elements)
    }
