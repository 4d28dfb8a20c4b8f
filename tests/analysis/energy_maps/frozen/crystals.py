"""Crystals, and a pair potential that answers what maps ask for."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.analysis.energy_maps.frozen.compute import FrozenMap, Request, compute_map
from aiida_ion.analysis.energy_maps.frozen.map_plan import FrozenPlan, MapPlan
from aiida_ion.analysis.energy_maps.frozen.plans import plan_maps
from aiida_ion.analysis.energy_maps.frozen.symmetry import Crystal

LI, REACH_A = 3, 6.0
THIRDS = [1 / 3, 2 / 3, 0]


def structure(name: str) -> Structure:
    """Return a crystal from its Wyckoff sites, in its conventional cell."""
    made = {
        "Li3N": ("P6/mmm", Lattice.hexagonal(3.648, 3.875), ["Li", "Li", "N"], [[0, 0, 0.5], THIRDS, [0, 0, 0]]),
        "Li2O": ("Fm-3m", Lattice.cubic(4.619), ["Li", "O"], [[0.25] * 3, [0] * 3]),
        "LiF": ("Fm-3m", Lattice.cubic(4.026), ["Li", "F"], [[0] * 3, [0.5] * 3]),
        "Li3OCl": ("Pm-3m", Lattice.cubic(3.907), ["Li", "O", "Cl"], [[0.5, 0, 0.5], [0.5] * 3, [0] * 3]),
        "LiCoO2": (
            "R-3m",
            Lattice.hexagonal(2.816, 14.054),
            ["Li", "Co", "O"],
            [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.2605]],
        ),
        "triclinic": (
            "P1",
            Lattice.from_parameters(4.1, 4.7, 5.2, 83, 97, 104),
            ["Li", "Li", "O", "S"],
            [[0.02, 0.1, 0.03], [0.55, 0.4, 0.62], [0.3, 0.72, 0.2], [0.8, 0.2, 0.45]],
        ),
    }
    return Structure.from_spacegroup(*made[name])


def crystal_of(from_structure: Structure) -> Crystal:
    """Return a structure as arrays."""
    numbers = np.array([site.specie.Z for site in from_structure], dtype=np.int64)
    return Crystal(np.array(from_structure.lattice.matrix), numbers, np.array(from_structure.frac_coords))


def plan_of(name: str, others: str = "removed", min_width_A: float | None = None) -> FrozenPlan:
    """Return the maps of lithium in a crystal."""
    return plan_maps(crystal_of(structure(name)), LI, others, min_width_A)


def pair_energies(request: Request) -> Any:
    """Return energies of an ion by a pair potential that differs between elements, eV."""
    host = request.host
    widths = abs(np.linalg.det(host.cell)) / np.linalg.norm(
        np.cross(host.cell[[1, 2, 0]], host.cell[[2, 0, 1]]), axis=1
    )
    reach = np.ceil(REACH_A / widths).astype(int) + 1
    shifts = np.array(list(itertools.product(*(range(-n, n + 1) for n in reach))))
    images = (host.fractions[None] + shifts[:, None]) @ host.cell
    home = (request.positions_A @ np.linalg.inv(host.cell) % 1.0) @ host.cell
    energies = np.zeros(len(home))
    for atom, number in enumerate(host.numbers):
        distances = np.maximum(np.linalg.norm(images[:, atom][None] - home[:, None], axis=-1), 0.1)
        near = distances < REACH_A
        smooth = np.where(near, (1.0 - (distances / REACH_A) ** 2) ** 3, 0.0)
        size = 1.5 + 0.03 * number
        energies += ((size / distances) ** 6 * smooth - 0.3 * (size / distances) ** 3 * smooth).sum(axis=1)
    return energies


def solve(plan: MapPlan, step_A: float, use_symmetry: bool = True, energies: Any = pair_energies) -> FrozenMap:
    """Return a map by the pair potential."""
    computation = compute_map(plan, step_A, 1.2, use_symmetry)
    answer = None
    while True:
        try:
            request = computation.send(answer)
        except StopIteration as stop:
            result: FrozenMap = stop.value
            return result
        answer = energies(request)
