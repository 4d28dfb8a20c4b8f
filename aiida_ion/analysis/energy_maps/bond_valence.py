"""Bond valence site energy of one ion in the rigid framework of a crystal.

E(r) = sum over counter-ions of (D0/2) ((exp(alpha (Rmin - R)) - 1)^2 - 1)
     + sum over ions of the same sign of 14.4 q q_i / sqrt(n n_i) erfc(R / (f (r_c + r_ci))) / R

with R the distance to the framework ion, charges q (e), principal quantum numbers n and covalent radii r_c (angstrom);
energies in eV. S. Adams and R. P. Rao, Phys. Status Solidi A 208, 1746 (2011), in the form of bvlain 0.25.1, whose
Morse term has the factor of one half. Other mobile ions are not in the framework: the ion is alone.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from aiida_ion.analysis.crystals.cell import perpendicular_widths
from aiida_ion.analysis.energy_maps.bond_valence_terms import coulomb, coulomb_slopes, morse, morse_slopes
from aiida_ion.analysis.energy_maps.framework import Framework
from aiida_ion.analysis.energy_maps.softbv import covalent_radius_A, morse_parameters, principal_quantum_number

FloatArray = npt.NDArray[np.float64]

#: e^2 / (4 pi epsilon_0) as the published energies have it, eV angstrom.
COULOMB_EV_A = 14.4
SCREENING = 0.74
#: Farther than this many screening lengths, or Morse lengths beyond Rmin, a term is below 1e-5 eV.
SCREENING_LENGTHS, MORSE_LENGTHS = 4.0, 13.0
#: Closer than this the distance counts as this, angstrom: no ion comes here.
CLOSEST_A = 1e-3
#: Points that are evaluated at once.
BLOCK = 1024
#: Largest number of framework ions with their images.
MAX_IMAGES = 2_000_000


class BondValencePotential:
    """Energy of one ion, as a function of its position.

    :param framework: without any ion of the mobile species.
    :param mobile: element of the ion.
    :param charge_e: its charge, e.
    :param cutoff_A: framework ions farther away do not count, angstrom.
    :param radii: set of covalent radii.
    :raises ValueError: if a parameter is missing, an ion has no charge, or the cell is far too flat.
    """

    def __init__(
        self, framework: Framework, mobile: str, charge_e: float, cutoff_A: float = 10.0, radii: str = "cordero"
    ) -> None:
        self.framework, self.charge_e, self.cutoff_A = framework, charge_e, cutoff_A
        self._inverse = np.linalg.inv(framework.cell_A)
        places, owners = _images(framework, cutoff_A)
        parameters = _parameters(framework, mobile, charge_e, radii)
        counter = parameters[:, 0] == 1.0
        near = parameters[:, 1:][owners]
        #: Of counter-ions: position, Rmin, alpha, D0, range. Of ions of the same sign: position, length, factor, range.
        self._morse = (places[counter[owners]], near[counter[owners]])
        self._coulomb = (places[~counter[owners]], near[~counter[owners]])

    def energies_eV(self, points_A: npt.NDArray[Any]) -> FloatArray:  # noqa: N802
        """Return the energies at points, eV, (n,).

        :param points_A: Cartesian, angstrom, (n, 3); points that lie close together in the list and in space are fast.
        """
        points = self._wrapped(np.asarray(points_A, dtype=float))
        energies = np.empty(len(points))
        for start in range(0, len(points), BLOCK):
            energies[start : start + BLOCK] = self._block(points[start : start + BLOCK])
        return energies

    def map_eV(self, shape: tuple[int, int, int], block: int = 10) -> FloatArray:  # noqa: N802
        """Return the energies on a grid that begins at the origin and has no end plane, eV, (nx, ny, nz).

        :param shape: points along the cell vectors.
        :param block: points along each side of the blocks that are evaluated at once.
        """
        energies = np.empty(shape)
        cell = self.framework.cell_A
        slices = [[slice(start, min(start + block, n)) for start in range(0, n, block)] for n in shape]
        for parts in product(*slices):
            axes = [np.arange(part.start, part.stop) / n for part, n in zip(parts, shape, strict=True)]
            fractions = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
            energies[parts] = self._block(fractions.reshape(-1, 3) @ cell).reshape(fractions.shape[:3])
        return energies

    def energies_of_nearest_eV(self, points_A: npt.NDArray[Any], neighbours: int) -> FloatArray:  # noqa: N802
        """Return the energies at points, eV, (n,), over the nearest framework ions alone.

        :param points_A: Cartesian, angstrom, (n, 3).
        :param neighbours: how many framework ions count.
        """
        n_counter = len(self._morse[0])
        tree = KDTree(np.concatenate([self._morse[0], self._coulomb[0]]))
        points = self._wrapped(np.asarray(points_A, dtype=float))
        near: Any = tree.query(points, k=list(range(1, neighbours + 1)), distance_upper_bound=self.cutoff_A)
        distances, indices = near
        energies = np.zeros(len(points))
        is_there = indices < tree.n
        for (_, values), term, offset, last in (
            (self._morse, morse_slopes, 0, n_counter),
            (self._coulomb, coulomb_slopes, n_counter, tree.n),
        ):
            rows, columns = np.nonzero(is_there & (indices >= offset) & (indices < last))
            terms = term(np.maximum(distances[rows, columns], CLOSEST_A), values[indices[rows, columns] - offset])[0]
            energies += np.bincount(rows, weights=terms, minlength=len(points))
        return energies

    def derivatives(self, point_A: npt.NDArray[Any]) -> tuple[float, FloatArray, FloatArray]:
        """Return energy (eV), gradient (eV/angstrom, (3,)) and Hessian (eV/angstrom^2, (3, 3)) at a point.

        :param point_A: Cartesian, angstrom, (3,).
        """
        point = self._wrapped(np.asarray(point_A, dtype=float)[None])[0]
        energy, gradient, hessian = 0.0, np.zeros(3), np.zeros((3, 3))
        for (places, values), term in ((self._morse, morse_slopes), (self._coulomb, coulomb_slopes)):
            differences = point - places
            distances = np.maximum(np.linalg.norm(differences, axis=1), CLOSEST_A)
            within = (distances < values[:, 3]) & (distances < self.cutoff_A)
            if not within.any():
                continue
            unit = differences[within] / distances[within, None]
            value, first, second = term(distances[within], values[within])
            energy += float(value.sum())
            gradient += first @ unit
            across = first / distances[within]
            hessian += (unit.T * (second - across)) @ unit + across.sum() * np.eye(3)
        return energy, gradient, hessian

    def _wrapped(self, points_A: FloatArray) -> FloatArray:
        fractions = points_A @ self._inverse
        wrapped: FloatArray = points_A - np.floor(fractions) @ self.framework.cell_A
        return wrapped

    def _block(self, points_A: FloatArray) -> FloatArray:
        """Return the energies at points of the home cell that lie close together, eV."""
        centre = 0.5 * (points_A.min(axis=0) + points_A.max(axis=0))
        points = points_A - centre
        radius = float(np.linalg.norm(points, axis=1).max())
        energies = np.zeros(len(points))
        for (places, values), term in ((self._morse, morse), (self._coulomb, coulomb)):
            away = places - centre
            reach = np.minimum(values[:, 3], self.cutoff_A)
            is_near = np.einsum("ij,ij->i", away, away) < (reach + radius) ** 2
            if is_near.any():
                distances = _distances(points, away[is_near])
                energies += term(distances, values[is_near], reach[is_near])
        return energies


def _images(framework: Framework, cutoff_A: float) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Return the framework ions within the cutoff of the home cell, (m, 3), and which ion of the cell each one is."""
    cell = np.asarray(framework.cell_A, dtype=float)
    margins = cutoff_A / perpendicular_widths(cell)
    fractions = (framework.positions_A @ np.linalg.inv(cell)) % 1.0
    reach = np.ceil(margins).astype(int)
    if np.prod(2.0 * reach + 1.0) * len(fractions) > MAX_IMAGES:
        raise ValueError("the cell is far too flat for a crystal, or holds far too many atoms")
    shifts = np.array(list(product(*(range(-n, n + 1) for n in reach))))
    images = (fractions[None] + shifts[:, None]).reshape(-1, 3)
    owners = np.tile(np.arange(len(fractions)), len(shifts))
    near = np.all((images >= -margins) & (images <= 1.0 + margins), axis=1)
    return images[near] @ cell, owners[near]


def _parameters(framework: Framework, mobile: str, charge_e: float, radii: str) -> FloatArray:
    """Return for each framework ion whether it is a counter-ion, three parameters of its term and its range, (n, 5)."""
    rows: dict[tuple[str, float], list[float]] = {}
    for symbol, charge in zip(framework.symbols, framework.charges_e.tolist(), strict=True):
        if (symbol, charge) in rows:
            continue
        if charge * charge_e == 0:
            raise ValueError(f"{symbol if charge_e else mobile} has no charge, so that it has no bond valence")
        if charge * charge_e < 0:
            pair = ((symbol, charge), (mobile, charge_e))
            (cation, anion) = pair if charge > 0 else pair[::-1]
            found = morse_parameters(*cation, *anion)
            reach = found.r_min_A + MORSE_LENGTHS / found.alpha_1_A
            rows[symbol, charge] = [1.0, found.r_min_A, found.alpha_1_A, found.d0_eV, reach]
            continue
        length = SCREENING * (covalent_radius_A(mobile, charge_e, radii) + covalent_radius_A(symbol, charge, radii))
        shells = principal_quantum_number(mobile) * principal_quantum_number(symbol)
        factor = COULOMB_EV_A * charge_e * charge / shells**0.5
        rows[symbol, charge] = [0.0, length, factor, 0.0, SCREENING_LENGTHS * length]
    ions = zip(framework.symbols, framework.charges_e.tolist(), strict=True)
    return np.array([rows[ion] for ion in ions], dtype=float).reshape(-1, 5)


def _distances(points_A: FloatArray, places_A: FloatArray) -> FloatArray:
    """Return the distances of points, (n, 3), from places, (m, 3), both close to the origin, angstrom, (n, m)."""
    squares = points_A @ (-2.0 * places_A.T)
    squares += np.einsum("ij,ij->i", points_A, points_A)[:, None]
    squares += np.einsum("ij,ij->i", places_A, places_A)
    np.maximum(squares, CLOSEST_A**2, out=squares)
    return np.sqrt(squares, out=squares)
