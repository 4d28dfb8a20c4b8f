"""Minima and saddles of the energy of a single ion, from gradient and Hessian: three coordinates."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
#: Point (3,) in angstrom -> energy (eV), gradient (eV/angstrom, (3,)), Hessian (eV/angstrom^2, (3, 3)).
Derivatives = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]

#: Longest step, angstrom; a search ends when the gradient is smaller than this, eV/angstrom.
MAX_STEP_A, GRADIENT_EV_A = 0.15, 1e-5
MAX_STEPS = 100
#: Smallest curvature that a step is computed with, eV/angstrom^2.
MIN_CURVATURE = 0.1
#: Step away from a saddle, angstrom.
PUSH_A = 0.05
#: Searches in a row, each from a stationary point of another kind than is asked for.
MAX_SEARCHES = 4


class Stationary(NamedTuple):
    """A point where the gradient vanishes.

    :param point_A: Cartesian, angstrom, (3,).
    :param energy_eV: energy there, eV.
    :param modes: unit vectors of the curvatures, the smallest first, in columns, (3, 3).
    :param n_down: in how many of these directions the energy falls.
    """

    point_A: FloatArray
    energy_eV: float
    modes: FloatArray
    n_down: int

    @property
    def mode(self) -> FloatArray:
        """The direction of the smallest curvature, (3,)."""
        return self.modes[:, 0]


def find_minimum(derivatives: Derivatives, start_A: FloatArray, max_distance_A: float) -> Stationary | None:
    """Return the minimum below a point; ``None`` if there is none within a distance.

    Where the way down ends on a saddle, as it does in a mirror plane, it goes on to one side.

    :param start_A: Cartesian, angstrom, (3,).
    :param max_distance_A: from the start, angstrom.
    """
    return _find(derivatives, start_A, max_distance_A, n_down=0)


def find_saddle(derivatives: Derivatives, start_A: FloatArray, max_distance_A: float) -> Stationary | None:
    """Return the saddle (one direction of negative curvature) close to a point; ``None`` if there is none.

    The search goes up along the direction of the smallest curvature and down along the others (eigenvector following:
    C. J. Cerjan and W. H. Miller, J. Chem. Phys. 75, 2800 (1981)). Where it ends on a point with more directions of
    negative curvature, it goes on down the second.

    :param start_A: Cartesian, angstrom, (3,).
    :param max_distance_A: from the start, angstrom.
    """
    return _find(derivatives, start_A, max_distance_A, n_down=1)


def _find(derivatives: Derivatives, start_A: FloatArray, max_distance_A: float, n_down: int) -> Stationary | None:
    point = np.asarray(start_A, dtype=float)
    for _ in range(MAX_SEARCHES):
        found = _search(derivatives, point, start_A, max_distance_A, n_down)
        if found is None or found.n_down <= n_down:
            return found if found is not None and found.n_down == n_down else None
        point = found.point_A + PUSH_A * found.modes[:, n_down]
    return None


def _search(
    derivatives: Derivatives, point_A: FloatArray, start_A: FloatArray, max_distance_A: float, n_up: int
) -> Stationary | None:
    """Return a stationary point, going up along the first of the modes."""
    point = point_A
    signs = np.where(np.arange(3) < n_up, 1.0, -1.0)
    for _ in range(MAX_STEPS):
        energy, gradient, hessian = derivatives(point)
        curvatures, modes = np.linalg.eigh(hessian)
        if np.linalg.norm(gradient) < GRADIENT_EV_A:
            return Stationary(point, energy, modes, int((curvatures < 0).sum()))
        step = modes @ (signs * (modes.T @ gradient) / np.maximum(np.abs(curvatures), MIN_CURVATURE))
        point = point + step * min(1.0, MAX_STEP_A / float(np.linalg.norm(step)))
        if np.linalg.norm(point - start_A) > max_distance_A:
            return None
    return None
