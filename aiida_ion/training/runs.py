"""Labelled trajectories: what a dataset is chosen from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class LabelledRun:
    """The labelled frames of one source: n frames of N atoms, in the order of time.

    :param name: how messages call it.
    :param symbols: element of each atom.
    :param positions: shape (n, N, 3), angstrom, unwrapped.
    :param cells: shape (n, 3, 3), angstrom, rows are the vectors.
    :param forces: shape (n, N, 3), eV/angstrom.
    :param energies_eV: shape (n,), the energies that the forces are the gradient of; NaN where not known.
    :param stress: shape (n, 3, 3), eV/angstrom^3, positive in a stretched cell; NaN where not known.
    :param frames: shape (n,), index of each frame in its trajectory.
    :param steps: shape (n,), integration step of each frame.
    :param times_fs: shape (n,), fs.
    :param run: number of the run; the segments of one run have the same.
    :param temperature_K: target temperature; ``None`` where it has none.
    :param level_of_theory: name of what made the labels.
    :param unconverged: shape (n,), whether the electrons of a frame did not converge.
    :param picked: whether a job evaluated frames that were picked one by one, and not every step of a run.
    :param drift_meV_atom_ps: drift of the conserved energy of a run without thermostat; ``None`` where unknown.
    """

    name: str
    symbols: tuple[str, ...]
    positions: NDArray[Any]
    cells: FloatArray
    forces: NDArray[Any]
    energies_eV: FloatArray
    stress: FloatArray
    frames: NDArray[np.int64]
    steps: NDArray[np.int64]
    times_fs: FloatArray
    run: int
    temperature_K: float | None
    level_of_theory: str
    unconverged: NDArray[np.bool_]
    picked: bool = False
    drift_meV_atom_ps: float | None = None

    def __len__(self) -> int:
        return len(self.frames)

    def rows(self, rows: NDArray[Any]) -> LabelledRun:
        """Return some of the frames, by number or by a mask."""
        chosen = {name: getattr(self, name)[rows] for name in ROWS}
        return replace(self, **chosen)

    @property
    def composition(self) -> dict[str, int]:
        """Number of atoms of each element, sorted by element."""
        return {element: self.symbols.count(element) for element in sorted(set(self.symbols))}


#: The arrays with one row for each frame.
ROWS = ("positions", "cells", "forces", "energies_eV", "stress", "frames", "steps", "times_fs", "unconverged")
