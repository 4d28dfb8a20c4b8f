"""One map of a potential: where it percolates on the grid, and where the potential itself does."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.energy_maps.basins import find_basins
from aiida_ion.analysis.energy_maps.bond_valence import BondValencePotential
from aiida_ion.analysis.energy_maps.framework import symmetry_operations
from aiida_ion.analysis.energy_maps.percolation import Percolation, percolate_graph
from aiida_ion.analysis.energy_maps.refine import Network, refine_network

FloatArray = npt.NDArray[np.float64]

#: Above the lowest energy by more than this no ion passes, eV.
CEILING_EV = 30.0
#: A map underestimates a barrier by no more than this, eV.
MAX_ABOVE_EV = 0.15


@dataclass(frozen=True)
class Level:
    """What a map of one spacing gives.

    :param shape: points along the vectors of the cell.
    :param spacing_A: their spacing, angstrom.
    :param on_grid: percolation of the map.
    :param network: minima, saddles and percolation of the potential.
    :param energies_eV: the map, eV, of that shape; infinite where no ion passes.
    """

    shape: tuple[int, int, int]
    spacing_A: tuple[float, float, float]
    on_grid: Percolation
    network: Network
    energies_eV: FloatArray

    def is_refined(self, number: int) -> bool | None:
        """Whether the pathway of a dimension was found in the potential; ``None`` where the map does not percolate.

        It was not where its saddle is an assumed one, or far above the energy that the map has: one was then missed.

        :param number: of the dimension, from 0.
        """
        if number >= self.on_grid.dimension:
            return None
        if number >= self.network.percolation.dimension or self.network.closing[number].point_A is None:
            return False
        moved = self.network.percolation.thresholds[number].energy_eV - self.on_grid.thresholds[number].energy_eV
        return moved < MAX_ABOVE_EV

    def barrier_eV(self, number: int) -> float | None:  # noqa: N802
        """Return the barrier of a dimension above the lowest energy, eV: of the potential, else of the grid."""
        source = self.network.percolation if self.is_refined(number) else self.on_grid
        return source.barriers_eV[number]


def compute_level(potential: BondValencePotential, resolution_A: float) -> Level:
    """Return minima, saddles and percolation of a potential, from a map of one spacing.

    :param resolution_A: largest spacing along each cell vector, angstrom.
    """
    cell = potential.framework.cell_A
    lengths = np.linalg.norm(cell, axis=1)
    nx, ny, nz = (max(3, math.ceil(float(length) / resolution_A - 1e-6)) for length in lengths)
    energies = potential.map_eV((nx, ny, nz))
    energies[energies > energies.min() + CEILING_EV] = np.inf
    basins = find_basins(energies)
    on_grid = percolate_graph(basins.energies_eV, basins.pairs, basins.vectors, basins.saddle_energies_eV)
    operations = symmetry_operations(potential.framework)
    network = refine_network(potential.derivatives, cell, (nx, ny, nz), basins, operations)
    dx, dy, dz = (float(length / n) for length, n in zip(lengths, (nx, ny, nz), strict=True))
    return Level((nx, ny, nz), (dx, dy, dz), on_grid, network, energies)
