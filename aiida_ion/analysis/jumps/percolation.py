"""The lowest free energy at which the density of mobile ions percolates, in one to three dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiida_ion.analysis.energy_maps.percolation import percolate_grid
from aiida_ion.units import BOLTZMANN_EV_K

#: The free energy of a voxel visited less often than this is uncertain by a third of kT or more.
MIN_BOTTLENECK_COUNT = 10


@dataclass(frozen=True)
class Percolation:
    """Barriers of the free energy from the density.

    :param barriers_eV: lowest barrier at which the density is connected in one, two, three dimensions, eV; ``None`` if
        it never is.
    :param bottleneck_counts: visits to the narrowest voxel of each pathway.
    :param highest_visible_eV: free energy of a voxel visited once, eV: higher barriers are not visible.
    """

    barriers_eV: list[float | None]
    bottleneck_counts: list[int | None]
    highest_visible_eV: float

    @property
    def dimension(self) -> int:
        """In how many dimensions the sampled density is connected."""
        return sum(barrier is not None for barrier in self.barriers_eV)


def percolation_barriers(counts: npt.NDArray[np.integer], temperature_K: float) -> Percolation:
    """Return the barriers of F = -kT ln(density / largest density) along pathways through the whole crystal.

    The barrier for d dimensions is the lowest F below which a connected part of the density reaches its own periodic
    images in d independent directions: the highest point of the best pathway, not the sum of F along a shortest path.

    :param counts: visits to each voxel, (nx, ny, nz); at least 3 voxels in each direction.
    :param temperature_K: temperature of the trajectory, K.
    :raises ValueError: if the density is empty or too coarse.
    """
    if min(counts.shape) < 3:
        raise ValueError(f"a density of {counts.shape} voxels is too coarse: lower density_resolution_A")
    if counts.max() < 1:
        raise ValueError("the density is empty")
    kT = BOLTZMANN_EV_K * temperature_K
    top = float(counts.max())
    with np.errstate(divide="ignore"):
        percolation = percolate_grid(-np.log(counts / top))
    bottlenecks = [int(counts.ravel()[list(threshold.saddle)].min()) for threshold in percolation.thresholds]
    missing = [None] * (3 - len(bottlenecks))
    return Percolation(
        [None if barrier is None else kT * barrier for barrier in percolation.barriers_eV],
        [*bottlenecks, *missing],
        float(kT * np.log(top)),
    )
