"""A structure in LAMMPS's convention: the rotated cell, the data file, the starting velocities.

LAMMPS needs the first cell vector along x and the second in the xy plane; :class:`Frame` rotates a structure there and
back, so that the rotated frame is never seen outside this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import ArrayLike, NDArray

from aiida_ion.lammps.potentials import Potential
from aiida_ion.units import FS_PER_PS

_TILT_ZERO = 1e-9


@dataclass(frozen=True)
class Frame:
    """The rotation between the orientation of a structure and that of LAMMPS.

    :param cell: rows are the cell vectors of the structure, (3, 3) angstrom.
    :param rotation: orthogonal (3, 3); ``vector_lammps = vector @ rotation``.
    :param box: the same lattice in LAMMPS's orientation with the shortest tilts, lower triangular (3, 3) angstrom.
    """

    cell: NDArray[np.float64]
    rotation: NDArray[np.float64]
    box: NDArray[np.float64]

    @classmethod
    def of(cls, cell: ArrayLike) -> Frame:
        """Build from a cell; for a left-handed one the rotation includes a reflection, which does not affect energies.

        :raises ValueError: if the three vectors span no volume.
        """
        rows = np.asarray(cell, dtype=float)
        if rows.shape != (3, 3) or not np.isfinite(rows).all() or abs(np.linalg.det(rows)) < 1e-6:
            raise ValueError("LAMMPS needs three cell vectors that span a volume")
        orthogonal, upper = np.linalg.qr(rows.T)
        signs = np.sign(np.diag(upper))
        box = (upper * signs[:, None]).T
        box = np.where(np.abs(box) < _TILT_ZERO, 0.0, box)
        box[2] -= round(box[2, 1] / box[1, 1]) * box[1]
        box[2] -= round(box[2, 0] / box[0, 0]) * box[0]
        box[1] -= round(box[1, 0] / box[0, 0]) * box[0]
        return cls(rows, orthogonal * signs, np.where(np.abs(box) < _TILT_ZERO, 0.0, box))

    @property
    def triclinic(self) -> bool:
        """Whether the box has any tilt."""
        return bool(np.any(self.box[np.tril_indices(3, -1)] != 0.0))

    def to_lammps(self, vectors: ArrayLike) -> NDArray[np.float64]:
        """Rotate vectors (..., 3) to LAMMPS's orientation."""
        turned: NDArray[np.float64] = np.asarray(vectors, dtype=float) @ self.rotation
        return turned

    def from_lammps(self, vectors: ArrayLike) -> NDArray[np.float64]:
        """Rotate vectors (..., 3) back."""
        turned: NDArray[np.float64] = np.asarray(vectors, dtype=float) @ self.rotation.T
        return turned


def masses_of(symbols: Sequence[str]) -> NDArray[np.float64]:
    """ASE's masses of atoms, (N,) g/mol."""
    return np.array([atomic_masses[atomic_numbers[symbol]] for symbol in symbols])


def write_data(
    positions: ArrayLike,
    cell: ArrayLike,
    symbols: Sequence[str],
    potential: Potential,
    velocities_A_fs: ArrayLike | None = None,
) -> str:
    """Return the text of a LAMMPS data file (``atom_style charge``, ASE's masses).

    :param positions: (N, 3) angstrom, may be unwrapped: LAMMPS stores image flags.
    :param cell: rows are the cell vectors, (3, 3) angstrom.
    :param symbols: element of every atom.
    :param velocities_A_fs: (N, 3) angstrom/fs.
    :raises ValueError: for a flat cell, an unknown element, a net charge or a composition that is not allowed.
    """
    potential.require(symbols)
    potential.require_neutral(symbols)
    potential.require_composition(symbols)
    frame, order = Frame.of(cell), potential.type_order(symbols)
    box = frame.box
    lines = ["aiida-ion", "", f"{len(symbols)} atoms", f"{len(order)} atom types", ""]
    lines += [f"0.0 {box[k, k]:.16g} {axis}lo {axis}hi" for k, axis in enumerate("xyz")]
    if frame.triclinic:
        lines.append(f"{box[1, 0]:.16g} {box[2, 0]:.16g} {box[2, 1]:.16g} xy xz yz")
    lines += ["", "Masses", ""]
    lines += [
        f"{k} {mass:.16g} # {name}" for k, (name, mass) in enumerate(zip(order, masses_of(order), strict=True), 1)
    ]
    lines += ["", "Atoms # charge", ""]
    for number, (symbol, xyz) in enumerate(zip(symbols, frame.to_lammps(positions), strict=True), 1):
        x, y, z = xyz
        charge = potential.charges.get(symbol, 0.0)
        lines.append(f"{number} {order.index(symbol) + 1} {charge:.16g} {x:.16g} {y:.16g} {z:.16g}")
    if velocities_A_fs is not None:
        turned = frame.to_lammps(velocities_A_fs) * FS_PER_PS
        lines += ["", "Velocities", ""]
        lines += [f"{number} {x:.16g} {y:.16g} {z:.16g}" for number, (x, y, z) in enumerate(turned, 1)]
    return "\n".join(lines) + "\n"
