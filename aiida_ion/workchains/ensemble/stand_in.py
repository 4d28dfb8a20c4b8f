"""A cell with the contents of the ordered ones, before these are drawn: what is refused then is refused now."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm
from ase import Atoms

from aiida_ion.analysis.disorder.lattice import EMPTY, lattice_of, random_arrangement
from aiida_ion.calculations.disorder.order import planned


def stand_in(structure: orm.StructureData, ordering: Mapping[str, Any]) -> orm.StructureData:
    """Return a cell with the size and the atoms of the ordered ones; its atoms lie on a grid.

    :param structure: the disordered crystal.
    :param ordering: settings of the ordering.
    :raises OrderingRefused: where a decision of the user is needed.
    """
    lattice = lattice_of(planned(structure, ordering))
    state = random_arrangement(lattice, np.random.default_rng(0))
    symbols = sorted(lattice.elements[int(place) - 1] for place in state if place != EMPTY)
    return grid_cell(lattice.cell, symbols)


def grid_cell(cell_A: Any, symbols: list[str]) -> orm.StructureData:
    """Return a cell with these atoms on a grid of nearly equal spacings.

    :param cell_A: angstrom, (3, 3).
    """
    lengths = np.linalg.norm(cell_A, axis=1)
    spacing = (abs(float(np.linalg.det(cell_A))) / len(symbols)) ** (1.0 / 3.0)
    numbers = [max(1, round(length / spacing)) for length in lengths]
    while math.prod(numbers) < len(symbols):
        numbers[int(np.argmax(lengths / numbers))] += 1
    points = np.stack(np.unravel_index(np.arange(len(symbols)), numbers), axis=1) / numbers
    return orm.StructureData(ase=Atoms(symbols, scaled_positions=points, cell=cell_A, pbc=True))
