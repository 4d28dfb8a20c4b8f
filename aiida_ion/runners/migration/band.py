"""Climbing-image nudged elastic bands (Henkelman, Uberuaga & Jonsson, J. Chem. Phys. 113, 9901 (2000)) by ASE.

The tangent is the improved one (Henkelman & Jonsson, J. Chem. Phys. 113, 9978 (2000)), named explicitly: it was not
always ASE's default. The images start from an image-dependent pair potential (Smidstrup et al., J. Chem. Phys. 140,
214106 (2014)). The band first relaxes without climbing, so that the right image climbs. The optimiser is the adaptive
solver of Makri, Ortner & Kermode, J. Chem. Phys. 150, 094109 (2019), then FIRE for what it leaves: the force of a band
is not a gradient, so that no optimiser with a line search is safe.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.geometry import find_mic
from ase.mep.neb import NEB, NEBOptimizer, idpp_interpolate
from ase.optimize import FIRE

from aiida_ion.runners.migration.relaxing import HopError, OutOfTimeError, Stop, check_framework
from aiida_ion.runners.migration.shared import Counter, ImageCalculator, frozen
from aiida_ion.settings.migration import HopSettings

FloatArray = npt.NDArray[np.float64]
#: Atoms this far from the middle of the path are placed by the pair potential of the images, angstrom.
AROUND_A = 6.0
#: How far the climbing image is moved along the band for the curvature, angstrom.
CURVATURE_STEP_A = 0.05
#: Dips between two maxima that are deeper than this are intermediate minima, eV.
DIP_EV = 0.02


@dataclass(frozen=True)
class Band:
    """A band.

    :param images: with energies and forces, the ends too.
    :param energies_eV: of the images.
    :param climbing: index of the highest image; an end where the path has no barrier.
    :param is_converged: whether the forces are small enough.
    :param max_force_eV_A: largest force of the climbing band on an atom.
    :param curvature_eV_A2: second derivative of the energy along the band at the climbing image; None at an end.
    :param n_maxima: maxima along the path; more than one means an intermediate minimum.
    :param optimizer: ``ODE``, or ``ODE, FIRE``.
    :param n_steps: of all optimisers.
    """

    images: list[Atoms]
    energies_eV: FloatArray
    climbing: int
    is_converged: bool
    max_force_eV_A: float
    curvature_eV_A2: float | None
    n_maxima: int
    optimizer: str
    n_steps: int


def relax_band(
    start: Atoms, end: Atoms, moving: int, potential: object, counter: Counter, settings: HopSettings, stop: Stop
) -> Band:
    """Relax a band between two relaxed ends that have energies and forces.

    :raises HopError: for energies or forces that are not finite.
    :raises OutOfTimeError: at the end of the wall time.
    """
    length = float(np.linalg.norm(end.positions[moving] - start.positions[moving]))
    n_images = settings.n_images_long if length > settings.long_hop_A else settings.n_images
    images = [frozen(start), *(start.copy() for _ in range(n_images - 2)), frozen(end)]
    for image in images[1:-1]:
        image.set_constraint()
    place_images(images, moving)
    neb = _Band(images, moving, settings, stop)
    for image in images[1:-1]:
        image.calc = ImageCalculator(potential, counter)
    steps = _ode(neb, settings.max_force_eV_A, settings.plain_steps)
    neb.climb = True
    steps += _ode(neb, settings.max_force_eV_A, settings.max_steps)
    used = "ODE"
    if neb.residual() > settings.max_force_eV_A:
        used = "ODE, FIRE"
        optimizer: Any = FIRE(neb, logfile=None)
        optimizer.run(fmax=settings.max_force_eV_A, steps=settings.max_steps)
        steps += int(optimizer.nsteps)
    force = neb.residual()
    energies = np.array([image.get_potential_energy() for image in images], dtype=float)
    climbing = int(energies.argmax())
    is_inside = 0 < climbing < len(images) - 1
    kept = [frozen(image) for image in images]
    return Band(
        images=kept,
        energies_eV=energies,
        climbing=climbing,
        is_converged=force <= settings.max_force_eV_A,
        max_force_eV_A=force,
        curvature_eV_A2=_curvature(images, climbing) if is_inside else None,
        n_maxima=count_maxima(energies),
        optimizer=used,
        n_steps=steps,
    )


def place_images(images: list[Atoms], moving: int) -> None:
    """Place the images between two ends: on straight lines, and around the ion by the image-dependent pair potential.

    :param images: the ends at their places, the others anywhere.
    :param moving: index of the ion; atoms within :data:`AROUND_A` of the middle of its path are placed by pairs.
    """
    start, end = images[0].positions, images[-1].positions
    for number, image in enumerate(images[1:-1], start=1):
        image.positions = start + number / (len(images) - 1) * (end - start)
    middle = 0.5 * (start[moving] + end[moving])
    offsets, distances = find_mic(0.5 * (start + end) - middle, images[0].cell, pbc=True)
    near = np.flatnonzero(distances < AROUND_A)
    around = [Atoms(numbers=images[0].numbers[near], positions=offsets[near]) for _ in images]
    for number, cluster in enumerate(around):
        cluster.positions += (number / (len(images) - 1) - 0.5) * (end - start)[near]
    lines = [cluster.positions.copy() for cluster in around]
    idpp_interpolate(NEB(around, k=0.1, method="improvedtangent"), traj=None, log=None)
    for image, cluster, line in zip(images[1:-1], around[1:-1], lines[1:-1], strict=True):
        moved = cluster.positions - line
        if np.isfinite(moved).all():
            image.positions[near] += moved


class _Band(NEB):  # type: ignore[misc]
    """ASE's band, stopped where forces are not finite, another atom moved too far, and at the end of the wall time."""

    def __init__(self, images: list[Atoms], moving: int, settings: HopSettings, stop: Stop) -> None:
        super().__init__(images, k=settings.spring_eV_A2, climb=False, method="improvedtangent")
        self._stop, self._moving, self._settings = stop, moving, settings
        self._placed = [image.copy() for image in images]

    def get_forces(self) -> Any:
        forces = super().get_forces()
        if not np.isfinite(forces).all():
            raise HopError("not_finite", "Forces along the band are not finite: atoms are on top of each other.")
        for before, image in zip(self._placed[1:-1], self.images[1:-1], strict=True):
            check_framework("the band", before, image, self._moving, self._settings)
        if self._stop.is_over():
            raise OutOfTimeError
        return forces

    def residual(self) -> float:
        """Return the largest force of the band on an atom, eV/angstrom."""
        return float(np.linalg.norm(self.get_forces().reshape(-1, 3), axis=1).max())


def _ode(neb: _Band, max_force_eV_A: float, steps: int) -> int:
    """Let the adaptive solver take some steps; return how many it took."""
    if steps == 0:
        return 0
    optimizer: Any = NEBOptimizer(neb, logfile=None)
    # Where it cannot find a step that helps, it stops with an error of one of these kinds.
    with contextlib.suppress(RuntimeError, ValueError, FloatingPointError):
        optimizer.run(fmax=max_force_eV_A, steps=steps)
    return int(optimizer.nsteps)


def _curvature(images: list[Atoms], climbing: int) -> float:
    """Return the second derivative of the energy along the band at an image, eV/angstrom^2."""
    image = images[climbing]
    energy = float(image.get_potential_energy())  # before its calculator is used elsewhere
    tangent = images[climbing + 1].positions - images[climbing - 1].positions
    tangent = tangent / np.linalg.norm(tangent)
    sides = []
    for sign in (1.0, -1.0):
        aside = image.copy()
        aside.positions += sign * CURVATURE_STEP_A * tangent
        aside.calc = image.calc
        sides.append(float(aside.get_potential_energy()))
    return float((sum(sides) - 2.0 * energy) / CURVATURE_STEP_A**2)


def count_maxima(energies_eV: npt.NDArray[Any]) -> int:
    """Return how many maxima a path has that dips of :data:`DIP_EV` or more separate; the ends count where highest."""
    count, is_rising, extreme = 0, True, float(energies_eV[0])
    for energy in map(float, energies_eV[1:]):
        if is_rising:
            if energy < extreme - DIP_EV:
                count, is_rising, extreme = count + 1, False, energy
            extreme = max(extreme, energy) if is_rising else extreme
        else:
            if energy > extreme + DIP_EV:
                is_rising, extreme = True, energy
            extreme = min(extreme, energy) if not is_rising else extreme
    return count + int(is_rising and float(energies_eV[-1]) > float(energies_eV[0]) + DIP_EV)
