"""Hops whose ends an operation of the crystal exchanges: the saddle is where the ion is half-way, so no band is needed.

The ion is placed at the mid-point and held in the plane across the hop while everything relaxes; by symmetry there is
no force along the hop then. The starting point must have that symmetry: all other atoms are where they were before the
ends relaxed. A small push within the plane lets the ion leave a place that is only held by further symmetry.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.constraints import FixedPlane

from aiida_ion.runners.migration.relaxing import HopError, Stop, displacements, relax
from aiida_ion.runners.migration.shared import Counter, ImageCalculator, frozen
from aiida_ion.settings.migration import HopSettings

FloatArray = npt.NDArray[np.float64]
#: The push within the plane, angstrom.
PUSH_A = 0.05
#: How far the ion is moved along the hop for the curvature, angstrom.
CURVATURE_STEP_A = 0.05


@dataclass(frozen=True)
class MidPoint:
    """A relaxed mid-point.

    :param atoms: with its energy and forces.
    :param residual_eV_A: force on the ion along the hop.
    :param curvature_eV_A2: second derivative of the energy along the hop, of the ion alone.
    :param problem: why it is not the saddle; empty if it is.
    """

    atoms: Atoms
    residual_eV_A: float
    curvature_eV_A2: float
    problem: str


def relax_midpoint(
    start: Atoms, end: Atoms, moving: int, potential: object, counter: Counter, settings: HopSettings, stop: Stop
) -> MidPoint:
    """Relax the mid-point of a symmetric hop.

    :param start, end: the ends before their relaxation, each atom at its nearest image.
    :param moving: index of the ion.
    :param potential: the calculator of the potential.
    """
    hop = end.positions[moving] - start.positions[moving]
    normal = hop / np.linalg.norm(hop)
    middle = start.copy()
    middle.positions = 0.5 * (start.positions + end.positions)
    centre = middle.copy()
    middle.positions[moving] += PUSH_A * _across(normal)
    middle.set_constraint(FixedPlane(moving, normal))
    middle.calc = ImageCalculator(potential, counter)
    problem = ""
    try:
        is_relaxed = relax(middle, moving, settings, stop)
    except HopError as error:
        if error.verdict != "framework_moved":
            raise
        is_relaxed, problem = False, error.message
    residual = abs(float(middle.get_forces(apply_constraint=False)[moving] @ normal))
    relaxed = frozen(middle)
    curvature = _curvature(middle, moving, normal)
    moved = float(np.linalg.norm(displacements(centre, relaxed, moving)[moving]))
    if not problem and not is_relaxed:
        problem = "its forces did not become small"
    elif not problem and residual > settings.max_residual_eV_A:
        problem = f"the force along the hop is {residual:.3f} eV/angstrom"
    elif not problem and not curvature < 0:
        problem = "the energy has a minimum there along the hop"
    elif not problem and moved > 0.5 * np.linalg.norm(hop):
        problem = f"the ion left the mid-point by {moved:.2f} angstrom"
    return MidPoint(relaxed, residual, curvature, problem)


def _across(normal: FloatArray) -> FloatArray:
    """Return a unit vector perpendicular to another one, along no direction that symmetry prefers."""
    vector = np.array([0.612, -0.327, 0.719])
    vector = vector - (vector @ normal) * normal
    unit: FloatArray = vector / np.linalg.norm(vector)
    return unit


def _curvature(middle: Atoms, moving: int, normal: FloatArray) -> float:
    energy = middle.get_potential_energy()
    sides = []
    for sign in (1.0, -1.0):
        aside = middle.copy()
        aside.set_constraint()
        aside.positions[moving] += sign * CURVATURE_STEP_A * normal
        aside.calc = middle.calc
        sides.append(float(aside.get_potential_energy()))
    return float((sum(sides) - 2.0 * energy) / CURVATURE_STEP_A**2)
