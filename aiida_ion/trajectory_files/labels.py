"""Energies, forces and stress that a file states for its frames: what a potential can be trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.stress import voigt_6_to_full_3x3_stress
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Names under which files have labels, those of ASE first. The energy that forces are the gradient of is the free
#: energy of electrons at their temperature, where a file has both.
ENERGY_KEYS = ("free_energy", "energy", "REF_energy", "dft_energy", "DFT_energy", "Energy")
FORCES_KEYS = ("forces", "REF_forces", "force", "dft_forces", "DFT_forces", "dft_force")
STRESS_KEYS = ("stress", "REF_stress", "dft_stress", "DFT_stress")


@dataclass(frozen=True)
class FrameLabels:
    """The labels of n frames of N atoms.

    :param energies_eV: shape (n,), potential energy of the cell.
    :param forces: shape (n, N, 3), eV/angstrom.
    :param stress: shape (n, 3, 3), eV/angstrom^3, positive in a stretched cell; NaN where a frame has none.
    """

    energies_eV: FloatArray
    forces: FloatArray
    stress: FloatArray

    def rows(self, rows: NDArray[np.int64]) -> FrameLabels:
        """Return the labels of some frames."""
        return FrameLabels(self.energies_eV[rows], self.forces[rows], self.stress[rows])


class LabelCollector:
    """Collects the labels of frames; there are labels where every frame has energy and forces."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, FloatArray, FloatArray]] = []
        self._complete = True

    def append(self, atoms: Atoms, order: NDArray[np.int64] | None = None) -> bool:
        """Add the labels of a frame, as ASE's readers leave them with it, and return whether it has any.

        :param order: the atoms in the order in which they are kept.
        """
        stated = stated_labels(atoms)
        if stated is not None and order is not None:
            stated = (stated[0], stated[1][order], stated[2])
        self._complete &= stated is not None
        if self._complete and stated is not None:
            self._rows.append(stated)
        else:
            self._rows.clear()
        return stated is not None

    def labels(self) -> FrameLabels | None:
        """Return the labels of all frames; ``None`` where one of them lacks energy or forces."""
        if not self._complete or not self._rows:
            return None
        energies, forces, stress = zip(*self._rows, strict=True)
        return FrameLabels(np.array(energies), np.array(forces), np.array(stress))


def stated_labels(atoms: Atoms) -> tuple[float, FloatArray, FloatArray] | None:
    """Return energy (eV), forces (N, 3) (eV/angstrom) and stress (3, 3) (eV/angstrom^3, NaN where none) of a frame.

    :returns: ``None`` where it lacks energy or forces.
    """
    results = atoms.calc.results if atoms.calc is not None else {}
    energy = _first({**atoms.info, **results}, ENERGY_KEYS)
    forces = _first({**atoms.arrays, **results}, FORCES_KEYS)
    if energy is None or forces is None or np.shape(forces) != (len(atoms), 3) or np.ndim(energy) != 0:
        return None
    stress = np.full((3, 3), np.nan)
    given = _first({**atoms.info, **results}, STRESS_KEYS)
    if given is not None and np.size(given) in (6, 9):
        array = np.asarray(given, dtype=float)
        stress = np.asarray(voigt_6_to_full_3x3_stress(array) if array.size == 6 else array.reshape(3, 3))
    return float(energy), np.asarray(forces, dtype=float), stress


def _first(stated: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((stated[key] for key in keys if key in stated), None)
