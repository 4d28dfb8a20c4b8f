"""What a run that exploded leaves: frames up to the explosion, and signs of it where the program only crashed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiida_ion.settings.md import MdSettings

#: A crash is an explosion if the last temperature is above this multiple of both target and start.
HOT = 2.0
#: ... or if two atoms are closer than this part of the closest pair of the first frame,
NEAR = 0.6
#: ... or an atom farther from all others than this multiple of the loneliest atom of the first frame.
LONELY = 2.0
#: How many last frames are looked at.
LAST_FRAMES = 5
#: Number of atoms whose distances to all others are in memory at one time.
CHUNK = 128


def finite_part(data: dict[str, Any], thermo: NDArray[np.void]) -> tuple[dict[str, Any], NDArray[np.void]]:
    """Return frames and rows before the first that is not a number, and the frames whose rows are there.

    :param data: ``steps`` (n,) and arrays of n frames, as :func:`~aiida_ion.lammps.dumps.read_dump` returns them.
    :param thermo: structured rows, one a step.
    """
    good = np.logical_and.reduce([_finite_rows(thermo[name]) for name in thermo.dtype.names or ()])
    rows = thermo[: _before_first_false(good)]
    whole = np.ones(len(data["steps"]), dtype=bool)
    for array in data.values():
        whole &= _finite_rows(array)
    if len(rows):
        whole &= data["steps"] <= rows["step"][-1]
    n = _before_first_false(whole)
    return {name: array[:n] for name, array in data.items()}, rows


def sign_of_explosion(
    steps: NDArray[np.int64],
    positions: NDArray[Any],
    cells: NDArray[np.float64],
    thermo: NDArray[np.void],
    settings: MdSettings,
) -> str | None:
    """Return what shows that a run exploded before its program crashed; ``None`` where nothing does.

    :param steps: (n,) steps of the frames.
    :param positions: (n, N, 3), angstrom.
    :param cells: (3, 3) or (n, 3, 3), angstrom.
    :param thermo: structured rows, one a step.
    """
    if len(thermo):
        last = thermo[-1]
        usual_K = max(settings.temperature_K, float(thermo["temperature_K"][0]))
        if last["temperature_K"] > HOT * usual_K:
            return f"{last['temperature_K']:.0f} K at step {last['step']}"
        if thermo["max_force_eV_A"].max() > settings.max_force_eV_A:
            return f"a force of {thermo['max_force_eV_A'].max():.3g} eV/angstrom"
    if len(positions) < 2 or positions.shape[1] < 2:
        return None
    every_cell = np.broadcast_to(cells, (len(positions), 3, 3))
    first = _nearest(positions[0], every_cell[0])
    for frame in range(max(1, len(positions) - LAST_FRAMES), len(positions)):
        nearest = _nearest(positions[frame], every_cell[frame])
        if nearest.min() < NEAR * first.min():
            return f"two atoms {nearest.min():.3g} angstrom apart at step {steps[frame]}"
        if nearest.max() > LONELY * first.max():
            return f"an atom {nearest.max():.3g} angstrom from all others at step {steps[frame]}"
    return None


def _nearest(positions: NDArray[Any], cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of each atom to its nearest neighbour, (N,) angstrom, by the minimum image of fractional differences."""
    fractions = positions.astype(float) @ np.linalg.inv(cell)
    nearest = np.empty(len(fractions))
    for start in range(0, len(fractions), CHUNK):
        part = fractions[start : start + CHUNK]
        differences = part[:, None] - fractions[None]
        differences -= np.rint(differences)
        squares = ((differences @ cell) ** 2).sum(axis=-1)
        squares[np.arange(len(part)), start + np.arange(len(part))] = np.inf
        nearest[start : start + len(part)] = np.sqrt(squares.min(axis=1))
    return nearest


def _finite_rows(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether all numbers of each row are finite, (n,); of (n, ...)."""
    finite: NDArray[np.bool_] = np.isfinite(array).all(axis=tuple(range(1, array.ndim)))
    return finite


def _before_first_false(good: NDArray[np.bool_]) -> int:
    return len(good) if good.all() else int(np.argmin(good))
