"""Barriers of a density drawn from a known potential; and GEMDAT's own path through it."""

from __future__ import annotations

import numpy as np
import pytest

from aiida_ion.analysis.jumps.percolation import percolation_barriers
from aiida_ion.units import BOLTZMANN_EV_K

TEMPERATURE_K = 1000.0
BARRIERS_EV = (0.10, 0.20, 0.30)


def counts(seed: int = 0, n_draws: int = 2_000_000, n_voxels: int = 36) -> np.ndarray:
    """Boltzmann draws in V = sum of barrier (1 - cos 4 pi x) / 2: two wells along each axis."""
    rng = np.random.default_rng(seed)
    grid = (np.arange(n_voxels) + 0.5) / n_voxels
    marginals = []
    for barrier in BARRIERS_EV:
        weight = np.exp(-barrier / 2 * (1 - np.cos(4 * np.pi * (grid - 0.25))) / (BOLTZMANN_EV_K * TEMPERATURE_K))
        marginals.append(weight / weight.sum())
    joint = np.einsum("i,j,k->ijk", *marginals)
    return rng.multinomial(n_draws, joint.ravel()).reshape(joint.shape)


def test_barriers_of_a_known_potential_are_found() -> None:
    result = percolation_barriers(counts(), TEMPERATURE_K)
    # The lowest saddle first; a third of kT is what ten counts in its voxel leave.
    assert result.barriers_eV == pytest.approx(BARRIERS_EV, abs=0.3 * BOLTZMANN_EV_K * TEMPERATURE_K)
    assert result.dimension == 3
    assert result.highest_visible_eV > 0.4


def test_a_wall_takes_a_dimension_away() -> None:
    density = counts()
    density[9] = 0
    result = percolation_barriers(density, TEMPERATURE_K)
    assert result.barriers_eV[:2] == pytest.approx(BARRIERS_EV[1:], abs=0.03)
    assert result.barriers_eV[2] is None
    density[:, 9] = 0
    assert percolation_barriers(density, TEMPERATURE_K).dimension == 1
    density[:, :, 9] = 0
    assert percolation_barriers(density, TEMPERATURE_K).barriers_eV == [None, None, None]


def test_energies_are_electronvolts() -> None:
    cold = percolation_barriers(counts(), 500.0).barriers_eV
    hot = percolation_barriers(counts(), 1000.0).barriers_eV
    assert hot == pytest.approx([2 * energy for energy in cold])


def test_the_way_is_no_worse_than_gemdats() -> None:
    """GEMDAT's path minimises the sum of F along it; ours its highest point, which can only be lower or equal."""
    pytest.importorskip("gemdat")
    from gemdat import Volume
    from pymatgen.core import Lattice

    density = counts(n_draws=200_000, n_voxels=12)
    free_energy = Volume(data=density, lattice=Lattice.cubic(4.0)).get_free_energy(temperature=TEMPERATURE_K)
    peak = np.array(np.unravel_index(density.argmax(), density.shape))
    path = free_energy.optimal_percolating_path(peaks=peak[None], percolate="x")
    barrier = max(path.energy) - free_energy.data.min()
    ours = percolation_barriers(density, TEMPERATURE_K).barriers_eV[0]
    assert ours <= barrier + 1e-9
    assert ours == pytest.approx(barrier, abs=0.02)


def test_an_empty_density_is_refused() -> None:
    with pytest.raises(ValueError, match="the density is empty"):
        percolation_barriers(np.zeros((4, 4, 4), dtype=int), 300.0)
    with pytest.raises(ValueError, match="density_resolution_A"):
        percolation_barriers(np.ones((2, 4, 4), dtype=int), 300.0)
